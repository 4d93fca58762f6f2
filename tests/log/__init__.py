"""The log as anybody sees it over HTTP, and the commands that prove and verify it."""
