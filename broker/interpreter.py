"""How the interpreter runs while it serves: short turns between threads, and no search for garbage among what stays.

The writer and the event loop hand the interpreter's lock to each other at every statement and commit; with the usual
turn of 5 ms each of them waits that long for the other. What was made at the start, some hundred thousand objects,
would be looked through again and again.
"""

import gc
import sys
from typing import Final

TURN_SECONDS: Final = 0.0005
YOUNG: Final = 10_000
"""New objects before a search for unreachable ones; an exchange makes some thousands, nearly all end by themselves."""


def settle() -> None:
    """To be called once, when everything is made and nothing is served yet."""
    sys.setswitchinterval(TURN_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
