"""The story of Mr Xu on real servers, with real signatures and a real log."""
