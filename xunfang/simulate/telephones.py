"""How a telephone and whoever lives beside it behave. Drawn once per number, then per call. Pure.

Published pilots report that 67–86 % of calls were answered. Each number has a share of its own around
that, two hours of the day at which hardly anybody is in (market, nap, field), and now and then a number
that no longer works until a visitor has written down the new one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from ivr.dialogue.model import Because
from ivr.session.model import AlertRaised, Answered, AnswerGiven, CallEnded, CallEvent, Remembered, TurnHeard
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert, AnswerSource, CallDisposition, Speaker

T = TypeVar("T")

ANSWERED = (0.67, 0.97, 0.86)  # least, most, commonest share of calls that somebody picks up at a good hour
AT_A_BAD_HOUR = 0.45  # of that share
BAD_HOURS = 2  # of the hours at which is called
HOURS = (8, 9, 10, 11, 14, 15, 16, 17, 18, 19)
BREAKS_A_YEAR = 0.03  # numbers that stop working
TRUNK_FAILS = 0.003
RINGS = timedelta(seconds=40)
SPEAKS = (60, 170)  # seconds of a whole visit by telephone

D = CallDisposition
NOT_PICKED_UP = {
    D.NO_ANSWER: 70,
    D.POWERED_OFF: 10,
    D.BUSY: 8,
    D.REJECTED: 5,
    D.UNREACHABLE: 5,
    D.VOICEMAIL: 2,
}
MISSED = frozenset({D.NO_ANSWER, D.BUSY, D.POWERED_OFF, D.UNREACHABLE})  # the telephone shows it afterwards
CONTACT_SAYS = {"yes": 70, "no": 15, "unclear": 15}  # whether he reaches the elder
PICKED_UP = {
    D.COMPLETED: 910,
    D.HUNG_UP_EARLY: 30,
    D.OTHER_PERSON: 22,
    D.ANSWERED_SILENT: 18,
    D.ASKED_LATER: 20,
}
OPTS_OUT, DANGER = 0.0012, 0.0015  # of conversations
# topic -> (ordinary answer, answer that matters, its share)
SAYS = {
    Question.HEALTH: ("good", "worse", 0.012),
    Question.MOOD: ("good", "worse", 0.008),
    Question.GAS: ("safe", "unsafe", 0.004),
    Question.ELECTRICITY: ("safe", "unsafe", 0.003),
    Question.FAMILY: ("visits", "neglected", 0.004),
    Question.NEEDS: ("no", "yes", 0.02),
}
ALARMING = frozenset({"worse", "unsafe", "neglected"})
SHORT = (Question.HEALTH, Question.NEEDS)  # what weekly_short asks
FULL = tuple(SAYS)
BRIEF = frozenset({"weekly_short", "callback"})


@dataclass(slots=True)
class Telephone:
    number: str
    answers: float
    bad_hours: frozenset[int]
    breaks_on: date | None
    broken_as: CallDisposition
    chance: random.Random = field(repr=False)

    def mended(self) -> None:
        self.breaks_on = None


@dataclass(frozen=True, slots=True)
class Played:
    """What happens in one call, and how long it lasts."""

    events: tuple[CallEvent, ...]
    lasts: timedelta

    @property
    def ending(self) -> CallDisposition | None:
        last = self.events[-1]
        return last.disposition if isinstance(last, CallEnded) else None


def telephone(number: str, seed: int, year: int) -> Telephone:
    chance = random.Random(f"{seed}:{number}")
    breaks = chance.random() < BREAKS_A_YEAR
    return Telephone(
        number=number,
        answers=chance.triangular(*ANSWERED),
        bad_hours=frozenset(chance.sample(HOURS, BAD_HOURS)),
        breaks_on=date(year, 1, 1) + timedelta(days=chance.randrange(365)) if breaks else None,
        broken_as=chance.choice((D.SUSPENDED, D.SUSPENDED, D.INVALID_NUMBER)),
        chance=chance,
    )


def ring(phone: Telephone, call_id: int, dialplan: str, at: datetime, local: datetime, trunk: bool) -> Played:
    """`local`: wall time; `trunk`: whether the line to the carrier works."""
    unanswered = _not_picked_up(phone, call_id, at, local, trunk)
    return unanswered or _talks(phone.chance, call_id, dialplan, at)


def asks_contact(phone: Telephone, call_id: int, at: datetime, local: datetime, trunk: bool) -> Played:
    """联系人: he picks up as others do, and says whether he reaches the elder."""
    unanswered = _not_picked_up(phone, call_id, at, local, trunk)
    if unanswered is not None:
        return unanswered
    said = _draw(phone.chance, CONTACT_SAYS)
    lasts = timedelta(seconds=35)
    told = AnswerGiven(call_id, at, "reach", "any", said, text=said, source=AnswerSource.RELATIVE)
    ended = CallEnded(call_id, at + lasts, D.COMPLETED, Because.FINISHED, hung_up_by="us")
    return Played((Answered(call_id, at), told, ended), lasts)


def rings_us(phone: Telephone, call_id: int, dialplan: str, at: datetime) -> Played:
    """来电: he says that it is he, and is asked; without a dialplan he is only told a number."""
    seconds = phone.chance.randrange(*SPEAKS) if dialplan else 25
    said: list[CallEvent] = []
    if dialplan:
        said.append(AnswerGiven(call_id, at, "identity", "identity", "self", text="是我"))
        said += _says(phone.chance, call_id, SHORT if dialplan in BRIEF else FULL, at)
    lasts = timedelta(seconds=seconds)
    ended = CallEnded(call_id, at + lasts, D.COMPLETED, Because.FINISHED, hung_up_by="us")
    return Played((Answered(call_id, at), *said, ended), lasts)


def _not_picked_up(
    phone: Telephone, call_id: int, at: datetime, local: datetime, trunk: bool
) -> Played | None:
    """None: somebody picks up."""
    chance = phone.chance
    if not trunk or chance.random() < TRUNK_FAILS:
        return _ends(call_id, at, timedelta(seconds=2), D.TRUNK_FAILURE)
    if phone.breaks_on is not None and local.date() >= phone.breaks_on:
        return _ends(call_id, at, timedelta(seconds=8), phone.broken_as)
    share = phone.answers * (AT_A_BAD_HOUR if local.hour in phone.bad_hours else 1)
    if chance.random() >= share:
        return _ends(call_id, at, RINGS, _draw(chance, NOT_PICKED_UP))
    return None


def _ends(call_id: int, at: datetime, lasts: timedelta, disposition: CallDisposition) -> Played:
    return Played((CallEnded(call_id, at + lasts, disposition),), lasts)


def _talks(chance: random.Random, call_id: int, dialplan: str, at: datetime) -> Played:
    ending = _draw(chance, PICKED_UP)
    seconds = chance.randrange(*SPEAKS)
    topics = SHORT if dialplan in BRIEF else FULL
    events: list[CallEvent] = [Answered(call_id, at)]
    because: Because | None = Because.FINISHED
    special = chance.random()
    if ending is not D.COMPLETED:
        seconds = 20
        told = chance.randrange(len(topics)) if ending is D.HUNG_UP_EARLY else 0
        events += _says(chance, call_id, topics[:told], at)
        because = Because.HUNG_UP if ending is D.HUNG_UP_EARLY else None
    elif special < DANGER:
        events += _alarm(call_id, at, Alert.URGENT, Question.HEALTH, "我摔了起不来", "worse", "fall", 1)
        because = Because.URGENT
    elif special < DANGER + OPTS_OUT:
        events += _alarm(call_id, at, Alert.REVIEW, Question.HEALTH, "以后别给我打了", "opt_out", None, 1)
        events.append(Remembered(call_id, at, "opt_out"))
        because = Because.OPT_OUT
    else:
        events += _says(chance, call_id, topics, at)
    lasts = timedelta(seconds=seconds)
    return Played((*events, CallEnded(call_id, at + lasts, ending, because, hung_up_by="us")), lasts)


def _says(
    chance: random.Random, call_id: int, topics: tuple[Question, ...], at: datetime
) -> Iterator[CallEvent]:
    for seq, topic in enumerate(topics):
        ordinary, other, share = SAYS[topic]
        said = other if chance.random() < share else ordinary
        text = f"{topic}：{said}"
        if said in ALARMING:
            yield from _alarm(call_id, at, Alert.REVIEW, topic, text, said, None, seq)
        details = ("meals",) if topic is Question.NEEDS and said == "yes" else ()
        yield AnswerGiven(call_id, at, topic.value, topic.value, said, details=details, text=text)


def _alarm(
    call_id: int,
    at: datetime,
    alert: Alert,
    topic: Question,
    text: str,
    said: str,
    event: str | None,
    seq: int,
) -> list[CallEvent]:
    start, end = float(8 * seq), float(8 * seq + 3)
    judged: dict[str, object] = {"answer": said}
    heard = TurnHeard(call_id, at, seq, Speaker.ELDER, text, topic.value, start, end, 0.9, alert, judged)
    raised = AlertRaised(call_id, at, alert, topic.value, text, event=event, start_s=start, end_s=end)
    return [heard, raised]


def _draw(chance: random.Random, weights: Mapping[T, int]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]
