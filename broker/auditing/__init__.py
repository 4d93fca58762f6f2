"""What an auditor does with the log: search, replay, take evidence, check it, and look for what is unusual."""
