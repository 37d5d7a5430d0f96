"""Fixtures for tests that pick up the telephone themselves.

    pytest_plugins = ["sip_test_harness.pytest_plugin"]      # in the top conftest.py

    def test_it(phone, softphones):
        elder = phone("13900000001")
        ... let the system dial elder's number at softphones.gateway ...

`softphones` is one village for the whole session; override `softphone_ports` for other ports and
`softphone_prompts` for another folder of prompts. A test fails when a call came that nobody expected, or when
anything in the village logged an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sip_test_harness.ears import PROMPTS
from sip_test_harness.fluent import Phone
from sip_test_harness.model import Kind
from sip_test_harness.village import Village


@pytest.fixture(scope="session")
def softphone_ports() -> tuple[int, int]:
    """(SIP port of the exchange, first RTP port)."""
    return 5720, 34500


@pytest.fixture(scope="session")
def softphone_prompts() -> Path:
    return PROMPTS


@pytest.fixture(scope="session")
def softphones(softphone_ports: tuple[int, int], softphone_prompts: Path) -> Iterator[Village]:
    with Village(
        (), port=softphone_ports[0], rtp_port=softphone_ports[1], prompts=softphone_prompts
    ) as village:
        yield village


@pytest.fixture
def phone(softphones: Village) -> Iterator[Callable[..., Phone]]:
    """phone(number, voice="zf_xiaoni"): a telephone that only does what the test does."""
    before = len(softphones.events())
    phones: list[Phone] = []

    def pick(number: str, voice: str = "zf_xiaoni") -> Phone:
        phones.append(Phone(softphones, number, voice))
        return phones[-1]

    yield pick
    errors = [event.text for event in softphones.events()[before:] if event.kind is Kind.ERROR]
    assert not errors, f"the village reported errors: {errors}"
    surprised = sum(max(0, held.unexpected) for held in phones)
    assert not surprised, f"{surprised} calls came that the test did not expect"
