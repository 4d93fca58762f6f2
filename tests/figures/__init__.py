"""The public figures: counted rightly, never drifting, and giving nobody away."""
