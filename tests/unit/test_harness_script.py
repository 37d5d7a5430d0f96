"""When an elder speaks: the question decides, not the acknowledgement before it."""

from __future__ import annotations

from typing import Any

import pytest

from sip_test_harness.formats import persona_from
from sip_test_harness.script import OTHERWISE_MS, TURN_MS, Script

pytestmark = pytest.mark.unit


def script(*replies: dict[str, Any], **more: Any) -> Script:
    attempt = {"does": "answer", "replies": list(replies), **more}
    persona = persona_from(
        {
            "number": "139",
            "name": "a",
            "sex": "male",
            "voice": "zm_yunyang",
            "story": "a",
            "attempts": [attempt],
        }
    )
    return Script(persona.attempts[0])


def said(script: Script, quiet_ms: int = 5000, now_ms: int = 0) -> str | None:
    reply = script.due(now_ms, quiet_ms, busy=False)
    return "".join(str(part) for part in reply.say) if reply else None


def test_nobody_speaks_before_having_been_spoken_to() -> None:
    assert said(script({"when": "身体", "say": "挺好"}, otherwise=["嗯"])) is None


def test_the_newest_prompt_decides() -> None:
    one = script({"when": "好", "say": "不客气"}, {"when": "身体", "say": "挺好"})
    one.paused("那就好。")
    one.paused("您身体怎么样？")
    assert said(one) == "挺好"


def test_an_older_prompt_is_answered_when_the_newest_asks_for_nothing() -> None:
    one = script({"when": "身体", "say": "挺好"})
    one.paused("您身体怎么样？")
    one.paused("您慢慢说。")
    assert said(one) == "挺好"


def test_a_prompt_is_answered_once() -> None:
    one = script({"when": "身体", "say": "挺好"}, otherwise=["嗯"])
    one.paused("您身体怎么样？")
    assert said(one) == "挺好"
    assert said(one) is None


def test_no_reply_before_the_caller_has_been_quiet_long_enough() -> None:
    one = script({"when": "身体", "say": "挺好", "wait_ms": 700})
    one.paused("您身体怎么样？")
    assert said(one, quiet_ms=680) is None
    assert said(one, quiet_ms=0) is None
    assert said(one, quiet_ms=700) == "挺好"


def test_nobody_interrupts_themselves() -> None:
    one = script({"when": "身体", "say": "挺好"})
    one.paused("您身体怎么样？")
    assert one.due(0, 5000, busy=True) is None


def test_times_limits_a_reply_and_the_next_one_takes_over() -> None:
    one = script({"when": "身体", "say": "听不清", "times": 1}, {"when": "身体", "say": "挺好"})
    for answer in ("听不清", "挺好", "挺好"):
        one.paused("您身体怎么样？")
        assert said(one) == answer


def test_unknown_prompts_are_answered_by_turn_after_a_longer_wait() -> None:
    one = script({"nth": 1, "say": "是我"}, {"nth": 2, "say": "挺好"})
    one.paused(None)
    assert said(one, quiet_ms=TURN_MS - 20) is None
    assert said(one, quiet_ms=TURN_MS) == "是我"
    one.paused(None)
    assert said(one) == "挺好"
    one.paused(None)
    assert said(one) is None


def test_what_no_reply_fits_is_answered_otherwise_in_turn() -> None:
    one = script({"when": "身体", "say": "挺好"}, otherwise=["嗯", "行"])
    for answer in ("嗯", "行", "嗯"):
        one.paused("别的。")
        assert said(one, quiet_ms=OTHERWISE_MS - 20) is None
        assert said(one, quiet_ms=OTHERWISE_MS) == answer


def test_a_barge_in_comes_over_the_callers_voice_and_only_once() -> None:
    one = script({"nth": 2, "barge_ms": 1500, "say": "救命"})
    one.began(1000)
    assert said(one, quiet_ms=0, now_ms=9000) is None  # it is their first sentence
    one.paused(None)
    one.began(10_000)
    assert said(one, quiet_ms=0, now_ms=11_480) is None
    assert said(one, quiet_ms=0, now_ms=11_500) == "救命"
    assert said(one, quiet_ms=0, now_ms=12_000) is None


def test_a_breath_of_the_caller_does_not_put_off_a_barge_in() -> None:
    one = script({"nth": 1, "barge_ms": 1500, "say": "救命"})
    one.began(1000)
    one.paused("您好。")
    one.began(2000)
    assert said(one, quiet_ms=0, now_ms=2500) == "救命"
