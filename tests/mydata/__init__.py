"""What a person can know and have of what the broker did with her data."""
