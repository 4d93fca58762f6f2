"""Backups: taken while the broker runs, put back by whoever holds its keys, and rehearsed."""
