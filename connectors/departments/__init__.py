"""Test departments: real servers with made-up people and bad habits, for the demo, the tests and the bench only."""
