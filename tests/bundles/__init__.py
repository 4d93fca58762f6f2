"""Bundles and organisations: several recipients under one link, and a handler who signs for a firm."""
