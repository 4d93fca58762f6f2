"""Crashes, power cuts, full disks and fail-overs: whatever ends a process, nothing acknowledged is lost or unlogged.

`make test` runs a short form; `make crash` sets BROKER_CRASH=long and runs the same tests over every call and every cut.
BROKER_CRASH_SEED=N repeats a run's choices; each run prints its own.
"""
