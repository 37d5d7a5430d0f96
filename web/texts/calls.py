"""What a supervisor reads of one call: turns with their marked words, the way it took, why it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ivr.dialogue.model import Because
from ivr.understanding.model import Event, Polarity, Subject, Time
from ivr.understanding.wording import EVENT_ZH, POLARITY_ZH, SUBJECT_ZH, TIME_ZH
from storage.model import Answer, Turn, Verdict
from visits import evidence
from web.texts import answers, confidence
from xunfang.vocabulary import Alert, Speaker

_BECAUSE: Mapping[str, str] = {
    Because.FINISHED: "问完",
    Because.OPT_OUT: "不愿再接电话",
    Because.OTHER_PERSON: "不是本人",
    Because.WRONG_NUMBER: "打错了",
    Because.REFUSED: "拒绝",
    Because.ASKED_LATER: "改天再打",
    Because.SILENT: "没有人说话",
    Because.UNHEARD: "没有听懂",
    Because.MACHINE: "语音信箱",
    Because.ANNOUNCEMENT: "运营商提示音",
    Because.URGENT: "紧急，转人工",
    Because.HUNG_UP: "对方挂断",
    Because.MEDIA_LOST: "声音中断",
    Because.TOO_LONG: "超过时长",
    Because.OUR_FAULT: "系统原因中断",
}
# Reasons of false alarms that come again and again; the free text stays for the rest.
FALSE_ALARMS = (
    "电视或收音机的声音",
    "说的是别人的事",
    "说的是以前的事",
    "识别错了，没说这话",
    "玩笑或口头语",
    "已经处理过了",
)
CORRECTIONS = ("听录音，系统没听清", "老人后来改口", "是家属代答", "方言，意思不同")


@dataclass(frozen=True, slots=True)
class Piece:
    """Of a turn's words. `mark`: an event was heard in it (`danger`: it raised the alert)."""

    text: str
    mark: bool = False
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """One event with its four slots, in words."""

    event: str
    slots: tuple[str, ...]
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One turn as the page shows it."""

    turn: Turn
    pieces: tuple[Piece, ...]
    heard: str  # 听得清楚 …; empty for our own words
    judged: tuple[Judged, ...]
    why: tuple[str, ...]
    question: str
    verdict: Verdict | None
    alert: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the dialplan that the call came to."""

    question: str
    answer: str
    alert: Alert
    start_s: float | None


def lines(turns: Iterable[Turn], verdicts: Iterable[Verdict]) -> list[Line]:
    last = {each.turn_seq: each for each in verdicts}
    return [_line(turn, last.get(turn.seq)) for turn in turns]


def _line(turn: Turn, verdict: Verdict | None) -> Line:
    ours = turn.speaker is Speaker.SYSTEM
    judgement = turn.judgement
    found = [each for each in judgement.get("judgements") or () if isinstance(each, dict)]
    alert = turn.alert is not Alert.NONE and not ours
    return Line(
        turn=turn,
        pieces=_pieces(turn, found),
        heard="" if ours else confidence(turn.confidence),
        judged=tuple(_judged(each) for each in found),
        why=tuple(dict.fromkeys(evidence.reason(str(each)) for each in judgement.get("reasons") or ())),
        question=answers.question(turn.question, str(judgement.get("question", ""))),
        verdict=verdict,
        alert=alert,
    )


def _pieces(turn: Turn, found: Sequence[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """The words cut where events were heard. A span that does not fit its words is looked for."""
    text = turn.text
    marked = [False] * len(text)
    for each in found:
        words = str(each.get("evidence", ""))
        start, end = each.get("start"), each.get("end")
        if not (isinstance(start, int) and isinstance(end, int) and text[start:end] == words):
            start = text.find(words) if words else -1
            end = start + len(words)
        for at in range(max(0, start), end if start >= 0 else 0):
            marked[at] = True
    danger = turn.alert is not Alert.NONE
    pieces, at = [], 0
    for mark, letters in groupby(marked):
        length = len(list(letters))
        pieces.append(Piece(text[at : at + length], mark, mark and danger))
        at += length
    return tuple(pieces)


def _judged(each: Mapping[str, Any]) -> Judged:
    event, known = str(each.get("event", "")), set(Event)
    slots = (
        _word(SUBJECT_ZH, Subject, each.get("subject")),
        _word(TIME_ZH, Time, each.get("time")),
        _word(POLARITY_ZH, Polarity, each.get("polarity")),
    )
    return Judged(
        EVENT_ZH[Event(event)] if event in known else event,
        tuple(slot for slot in slots if slot),
        str(each.get("evidence", "")),
    )


def _word(chinese: Mapping[Any, str], words: Any, value: object) -> str:
    return chinese[words(value)] if value in set(words) else str(value or "")


def way(turns: Iterable[Turn], given: Mapping[str, Answer]) -> list[Step]:
    """The stages in the order in which the call came to them; one that was asked again stands once."""
    steps: dict[str, Step] = {}
    for turn in turns:
        answer = given.get(turn.question)
        before = steps.get(turn.question)
        alert = turn.alert if turn.speaker is not Speaker.SYSTEM else Alert.NONE
        worst = alert if before is None or before.alert is Alert.NONE else before.alert
        steps[turn.question] = Step(
            answers.question(turn.question, "" if answer is None else answer.topic),
            "" if answer is None else answers.answer(answer.answer),
            worst,
            turn.start_s if before is None else before.start_s,
        )
    return list(steps.values())


def because(word: str) -> str:
    return _BECAUSE.get(word, word)
