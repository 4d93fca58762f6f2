"""The token gate over the wire: every refusal, every attack, and what it leaves in the log."""
