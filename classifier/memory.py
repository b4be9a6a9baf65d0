"""Memory settings: when glibc returns freed pages, and how often Python collects garbage."""

import atexit
import ctypes
import gc
import sys
from collections.abc import Callable

# From glibc's malloc.h; see mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_NEVER = 2**31 - 1


def keep_freed_pages() -> None:
    """Reuse freed memory instead of returning it to the system and faulting it in again.

    A training step allocates and frees hundreds of megabytes; by default glibc maps and
    unmaps them each time, and the page faults cost more than the arithmetic (measured: a
    step of 4.4 s became 1.1 s). Call it before torch has started its threads. Without
    Linux and glibc it does nothing.
    """
    mallopt = _from_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)


def give_back_freed_pages() -> None:
    """Return free pages to the system once, in spite of `keep_freed_pages`.

    For between two phases, and after many steps: the freed memory is in pieces that the next
    allocations can only partly use, and would count in every later peak. Reading 9,034 reviews
    left 838 MB where 639 are needed (measured). Arrow keeps pages of its own besides glibc's.
    """
    from pyarrow import default_memory_pool

    default_memory_pool().release_unused()
    malloc_trim = _from_glibc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def collect_garbage_seldom() -> None:
    """Let Python collect garbage after every 10,000 new objects instead of 700.

    Importing torch and transformers makes hundreds of thousands of objects that stay: collections
    during the imports take half a second, and the last one, when the process ends, as long again.
    Call it before these imports.
    """
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)  # frozen objects are not examined


def _from_glibc(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return function
