"""What a person agreed to: tokens, requests, grants, people and their devices."""
