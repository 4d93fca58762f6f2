"""Crashes, power cuts, full disks and fail-overs: whatever ends a process, nothing acknowledged is lost or unlogged.

`make test` runs a short form. `make crash` sets BROKER_CRASH=long: the same tests over every call and every cut, with a
thousand kills and ten thousand changes. BROKER_CRASH_SEED=N repeats a run's choices; a test that fails shows its own.
"""
