"""Memory: glibc told not to give pages back between two steps, Python to look less for garbage."""

import atexit
import ctypes
import gc
import sys

# From glibc's malloc.h; see mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_NEVER = 2**31 - 1


def keep_freed_pages() -> None:
    """Let freed memory be used again instead of returned to the system and faulted in anew.

    A training step allocates and frees hundreds of megabytes; by default glibc maps and
    unmaps them each time and the page faults cost more than the arithmetic (measured: a
    step of 4.4 s became 1.1 s). Call it before torch has started its threads. Elsewhere
    than on Linux with glibc it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)


def collect_garbage_seldom() -> None:
    """Let 10,000 objects be made between two of Python's looks for cycles, instead of 700.

    Importing torch and transformers makes hundreds of thousands that stay: the looks at them take
    half a second, and the last one, when the process ends, as long again. Call it before these
    imports.
    """
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)  # what is frozen is not looked at
