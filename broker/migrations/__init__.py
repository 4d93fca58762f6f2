"""The schema's history: one file a revision, never changed once it has been released."""
