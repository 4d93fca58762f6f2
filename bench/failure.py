"""The one failure of a run: whatever happened, there is no speed to report."""


class RunFailed(Exception):
    """Why this run has no speed, in a sentence."""
