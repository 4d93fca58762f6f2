"""Answers that come late, through the whole broker and real departments."""
