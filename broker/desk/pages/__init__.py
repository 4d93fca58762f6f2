"""What a clerk sees, one file a screen."""
