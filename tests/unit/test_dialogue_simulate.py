"""A call as text: what a replies file may hold, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.model import Callee, DutyAnswered, DutyFailed, DutyNext, Keys, Noise, Silence, Speech
from ivr.dialogue.simulate import HangUp, Reply, converse, parse_replies, parse_reply
from xunfang.errors import BadInput

pytestmark = pytest.mark.unit

PLAN = dialplan.load("demo_short")


def lines(script: str) -> list[str]:
    return [str(line) for line in converse(PLAN, parse_replies(script), Callee("王奶奶"))]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("挺好的", Speech("挺好的")),
        ("<silence>", Silence()),
        ("<key 12>", Keys("12")),
        ("<hangup>", HangUp()),
        ("<during 嗯嗯>", Speech("嗯嗯", during_prompt=True)),
        ("<tone busy>", Noise("busy")),
        ("<duty answered>", DutyAnswered()),
        ("<duty next>", DutyNext()),
        ("<duty failed>", DutyFailed()),
    ],
)
def test_every_form_of_a_reply_is_understood(line: str, reply: Reply) -> None:
    assert parse_reply(line) == reply


@pytest.mark.parametrize("line", ["<keys 1>", "<key one>", "<tone bell>", "<during>", "<silence", "<duty>"])
def test_a_mark_that_is_not_known_is_refused_with_those_that_are(line: str) -> None:
    with pytest.raises(BadInput, match="<silence>, <key 1>, <hangup>"):
        parse_reply(line)


def test_comments_and_empty_lines_of_a_replies_file_are_left_out() -> None:
    assert parse_replies("# 王奶奶\n\n喂\n") == (Speech("喂"),)


def test_a_call_reads_as_a_transcript_with_answers_and_its_end() -> None:
    told = lines("喂\n是我\n挺好的\n<during 嗯嗯>\n没有摔，也不疼\n啥也不缺\n没有了")
    assert told[2].startswith("系统：王奶奶，您好。我是民政部门的自动巡访电话。")
    assert "记录：health = good，本人" in told
    assert any("（在系统说话时）" in line for line in told)
    assert told[-1] == "结束：finished"


def test_an_urgent_call_shows_the_alert_and_the_ringing_before_the_words() -> None:
    told = lines("喂\n是我\n救命，我起不来了\n<hangup>")
    alert = next(number for number, line in enumerate(told) if line.startswith("警报：紧急"))
    assert told[alert + 1].startswith(("记录", "值班"))
    assert told[-1] == "结束：urgent"


def test_when_the_replies_run_out_the_other_side_is_silent_until_the_call_ends() -> None:
    assert lines("")[-1] == "结束：silent"
    assert lines("喂\n是我")[-1] == "结束：unheard"


def test_hanging_up_shows_what_was_still_open() -> None:
    told = lines("喂\n是我\n挺好的\n好像摔了\n<hangup>")
    assert any(line.startswith("警报：待复核") for line in told)
    assert told[-1] == "结束：hung_up"


def test_a_reply_is_asked_for_only_when_the_system_listens() -> None:
    asked: list[str] = []

    def live() -> Iterator[Reply]:
        for text in ("喂", "是我"):
            asked.append(text)
            yield Speech(text)

    talk = converse(PLAN, live())
    assert str(next(talk)).startswith("倾听")
    assert asked == []
    next(talk)
    assert asked == ["喂"]
