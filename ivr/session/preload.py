"""Imported once by the fork server, before any line exists: the model that all lines share.

Lines are forked from a process that has the recogniser's weights in memory and runs no
threads, so they share them copy-on-write: 40 MB of their own instead of the whole model.
The folder comes through the environment because an import takes no arguments.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads would not survive the fork
os.environ.setdefault("OMP_NUM_THREADS", "1")

import contextlib
import gc
from pathlib import Path

from ivr.speech.audio import RATE_HZ
from ivr.speech.recogniser import Recogniser
from ivr.understanding import understand
from xunfang.errors import XunfangError

MODEL_DIR = "XUNFANG_PRELOAD_MODEL"

_loaded: dict[str, Recogniser] = {}


def recogniser(model_dir: str) -> Recogniser:
    """The preloaded one, or loaded now when a line was given another model. ModelError when it is broken."""
    if model_dir not in _loaded:
        loaded = Recogniser(Path(model_dir))
        loaded.recognise(bytes(2 * RATE_HZ), None)  # the first decoding sets up tables: not in a call
        _loaded[model_dir] = loaded
    return _loaded[model_dir]


if os.environ.get(MODEL_DIR):
    # A broken model is reported by the line that needs it; here it would kill the fork server.
    with contextlib.suppress(XunfangError):
        recogniser(os.environ[MODEL_DIR])
        understand("喂，你好")
    gc.freeze()
