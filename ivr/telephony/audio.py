"""Bytes in and out of pjsua2's `ByteVector` media frames, fast.

`bytes(vector)` goes through SWIG's iterator: 117 µs for a 20 ms frame. Reading the
`std::vector`'s begin and end pointers takes 1.5 µs, but leans on the layout of libstdc++:
it is checked once at import and given up when it does not hold.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pjsua2 as pj

_PointerPair = ctypes.POINTER(ctypes.c_void_p)


def _by_pointer(vector: Any) -> bytes:
    pointers = ctypes.cast(int(vector.this), _PointerPair)
    begin, end = pointers[0], pointers[1]
    return ctypes.string_at(begin, end - begin) if begin else b""


def _by_iterator(vector: Any) -> bytes:
    return bytes(vector)


def _layout_holds() -> bool:
    probe = bytes(range(256)) + bytes(64)
    return _by_pointer(pj.ByteVector(probe)) == probe


from_vector = _by_pointer if _layout_holds() else _by_iterator
