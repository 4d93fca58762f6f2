"""Backups: what is in them, what comes out of them, and what is noticed when it is not so."""
