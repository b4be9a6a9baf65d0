"""Memory: glibc told when to give pages back and when not, Python to look less for garbage."""

import atexit
import ctypes
import gc
import sys
from collections.abc import Callable

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
    mallopt = _from_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)


def give_back_freed_pages() -> None:
    """Return what is free to the system, this once, in spite of `keep_freed_pages`.

    Between two phases, and after many steps: what was freed lies in pieces that the next
    allocations can't use all of, and would count in every later peak. Reading 9,034 reviews left
    838 MB where 639 do (measured). Arrow keeps pages of its own besides glibc's.
    """
    from pyarrow import default_memory_pool

    default_memory_pool().release_unused()
    malloc_trim = _from_glibc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def collect_garbage_seldom() -> None:
    """Let 10,000 objects be made between two of Python's looks for cycles, instead of 700.

    Importing torch and transformers makes hundreds of thousands that stay: the looks at them take
    half a second, and the last one, when the process ends, as long again. Call it before these
    imports.
    """
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)  # what is frozen is not looked at


def _from_glibc(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return function
