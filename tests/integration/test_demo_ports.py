"""Demos that start at the same moment: neither has bound a port when the other one looks for some."""

from __future__ import annotations

import subprocess
import sys

import pytest

from xunfang.demo.folder import SIP_PORTS_NEEDED, free_ports

pytestmark = pytest.mark.integration

PORTS = range(6300, 6340, 10)
ANOTHER = f"""
from xunfang.demo.folder import SIP_PORTS_NEEDED, free_ports
print(free_ports({PORTS!r}, SIP_PORTS_NEEDED), flush=True)
input()
"""


def test_ports_that_another_process_has_found_are_not_found_again_until_it_has_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ANOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        ours = free_ports(PORTS, SIP_PORTS_NEEDED)
        assert (theirs, ours) == (PORTS[0], PORTS[1])
        assert free_ports(PORTS, SIP_PORTS_NEEDED) == ours, "one process, one village at a time"
        other.kill()
    assert free_ports(PORTS, SIP_PORTS_NEEDED) == theirs
