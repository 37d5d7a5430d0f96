"""A whole conversation as text (模拟): the same interpreter, no audio, no telephone.

Replies are lines: what the elder says, or one of

    <silence>            nothing is said
    <key 1>              a key is pressed
    <hangup>             the elder hangs up
    <during 嗯嗯>        said while the system is still speaking
    <tone busy>          a tone instead of speech: busy, ringback, beep, music
    <duty answered>      the duty person takes over
    <duty next>          nobody has come yet, the next telephone is rung
    <duty failed>        the duty person cannot be reached
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ivr.dialogue.interpreter import hear, hung_up, left_open, start
from ivr.dialogue.model import (
    Action,
    Because,
    Callee,
    Chose,
    DutyAnswered,
    DutyFailed,
    DutyNext,
    End,
    Heard,
    Keys,
    Listen,
    Noise,
    RaiseAlert,
    Remember,
    RingDuty,
    Say,
    Silence,
    Speech,
    Step,
    StoreAnswer,
)
from ivr.dialogue.plan import Dialplan
from ivr.dialogue.turn import Understand
from ivr.understanding import understand as really_understand
from ivr.understanding.model import Event
from xunfang.errors import BadInput
from xunfang.vocabulary import Speaker, zh

MARK = re.compile(r"<\s*(silence|key|hangup|during|tone|duty)\s*([^<>]*?)\s*>")
TONES = ("busy", "ringback", "beep", "music")
FORMS = (
    "<silence>, <key 1>, <hangup>, <during 嗯嗯>, <tone busy>, <duty answered>, <duty next>, <duty failed>"
)


@dataclass(frozen=True, slots=True)
class HangUp:
    """The other side ends the call."""


Reply = Speech | Keys | Silence | Noise | DutyAnswered | DutyNext | DutyFailed | HangUp


def parse_reply(line: str) -> Reply:
    """One line of a replies file. BadInput names the forms when a mark is not known."""
    text = line.strip()
    if not text.startswith("<"):
        return Speech(text) if text else Silence()
    found = MARK.fullmatch(text)
    mark, rest = found.groups() if found else ("", "")
    match mark, rest:
        case "silence", "":
            return Silence()
        case "hangup", "":
            return HangUp()
        case "key", digits if digits and set(digits) <= set("0123456789*#"):
            return Keys(digits)
        case "during", words if words:
            return Speech(words, during_prompt=True)
        case "tone", tone if tone in TONES:
            return Noise(tone)
        case "duty", "answered":
            return DutyAnswered()
        case "duty", "next":
            return DutyNext()
        case "duty", "failed":
            return DutyFailed()
    raise BadInput(f"{text!r} is no reply; allowed: plain words or {FORMS}")


def parse_replies(text: str) -> tuple[Reply, ...]:
    """A replies file: one reply a line; empty lines and lines that begin with # are left out."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(parse_reply(line) for line in lines if line and not line.startswith("#"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the simulated call. who: 系统, 老人, 他人, 语音提示, 记录, 警报, 结束."""

    who: str
    text: str

    def __str__(self) -> str:
        return f"{self.who}：{self.text}"


def converse(
    plan: Dialplan,
    replies: Iterable[Reply],
    callee: Callee | None = None,
    understand: Understand = really_understand,
) -> Iterator[Line]:
    """Run one call; a reply is taken only when the system listens, so `replies` may be a live prompt.

    When the replies run out the other side stays silent, until the dialogue ends by itself.
    """
    waiting = iter(replies)
    step = start(plan, callee)
    state = step.state
    while True:
        yield from _done(step)
        ended = next((action for action in step.actions if isinstance(action, End)), None)
        if ended is not None:
            yield Line("结束", _why(ended.because, ended.announcement))
            return
        reply = next(waiting, None)
        if isinstance(reply, HangUp) or (reply is None and state.at == "with_duty"):
            yield from _hung_up(plan, step)
            return
        heard: Heard = Silence() if reply is None else reply
        step = hear(plan, state, heard, understand)
        state = step.state
        yield _heard(heard, step)


def _done(step: Step) -> Iterator[Line]:
    for action in step.actions:
        line = _action(action)
        if line is not None:
            yield line


def _action(action: Action) -> Line | None:
    match action:
        case Say(texts):
            return Line("系统", "".join(texts))
        case Listen(topic, question, seconds):
            return Line("倾听", f"{question}（{topic}，{seconds:g} 秒）")
        case StoreAnswer():
            details = f"（{'、'.join(action.details)}）" if action.details else ""
            return Line("记录", f"{action.question} = {action.answer}{details}，{zh(action.source)}")
        case RaiseAlert(understanding, question):
            event = f" {Event(understanding.main.event)}" if understanding.main else ""
            return Line("警报", f"{zh(understanding.alert)}{event}，在 {question}：{understanding.text}")
        case Remember(what):
            return Line("记住", what)
        case RingDuty():
            return Line("值班", "正在呼叫值班人员")
        case Chose(number):
            return Line("选择", f"第 {number} 位")
        case End():
            return None


def _heard(heard: Heard, step: Step) -> Line:
    meant = f"  [{step.understood.answer}, {step.understood.alert}]" if step.understood else ""
    early = "（在系统说话时）" if isinstance(heard, (Speech, Keys)) and heard.during_prompt else ""
    match heard:
        case Speech():
            return Line(zh(step.speaker), f"{heard.text}{early}{meant}")
        case Keys():
            return Line(zh(Speaker.ELDER), f"（按键 {heard.digits}）{meant}")
        case Silence():
            return Line(zh(Speaker.ELDER), "（没有说话）")
        case Noise():
            return Line(zh(Speaker.MACHINE), f"（{heard.tone}）")
        case DutyAnswered():
            return Line("值班", "已接通")
        case DutyNext():
            return Line("值班", "没有人接，改拨下一个")
        case DutyFailed():
            return Line("值班", "没有接通")


def _hung_up(plan: Dialplan, step: Step) -> Iterator[Line]:
    yield Line(zh(step.speaker), "（挂断）")
    for alert in left_open(step.state):
        line = _action(alert)
        if line is not None:
            yield line
    yield Line("结束", _why(hung_up(plan, step.state), None))


def _why(because: Because, announcement: str | None) -> str:
    return f"{because}（{announcement}）" if announcement else str(because)
