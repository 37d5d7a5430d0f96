"""The demo that several files look at."""

from __future__ import annotations

from demo_run import demo

__all__ = ["demo"]
