"""Loops over a few lanes, thousands of times a second: too many for Python, too small for numpy, so they are compiled.

What is compiled is kept beside the source, or in the user's cache where that may not be written, and compiled anew when
its file changes. It does not notice when another file does: a compiled function and all that it calls stand in one
file, with the constants that they use, or are handed them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

_numba: Any = import_module("numba")

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function, compiled when it is first called for each kind of arguments. It lets go of the interpreter while it
    runs. A division by zero is no error in it."""
    try:
        return _numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        # Nowhere to keep it: each process compiles for itself.
        return _numba.njit(nogil=True, error_model="numpy")(function)
