"""The wire: one file per group of addresses of the protocol."""
