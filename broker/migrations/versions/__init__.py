"""Revisions, each written out: what a later one changes must not change an earlier one."""
