"""Tells the supervisor what happens in one call, as it happens."""

from __future__ import annotations

from collections.abc import Callable

from ivr.dialogue.model import RaiseAlert, StoreAnswer
from ivr.dialogue.screening import told
from ivr.dialogue.turn import URGENT
from ivr.session.hearing import Utterance
from ivr.session.model import AlertRaised, AnswerGiven, CallEvent, DutyRang, Remembered, TurnHeard
from ivr.session.speaking import Said
from ivr.session.transcript import judgement
from ivr.understanding.model import Understanding
from xunfang.clock import Clock
from xunfang.vocabulary import Alert, DutyOutcome, Speaker

Emit = Callable[[CallEvent], None]


class Teller:
    """Numbers the turns of one call and stamps its events."""

    def __init__(self, call_id: int, clock: Clock, emit: Emit) -> None:
        self.call_id = call_id
        self.clock = clock
        self.emit = emit
        self._seq = 0

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def said(self, said: Said) -> None:
        self.emit(
            TurnHeard(
                self.call_id,
                self.clock.now(),
                seq=said.seq,
                speaker=Speaker.SYSTEM,
                text=said.text,
                question=said.question,
                start_s=said.start_s,
                end_s=said.end_s,
            )
        )

    def heard(
        self,
        text: str,
        question: str,
        speaker: Speaker,
        span: tuple[float, float],
        confidence: float | None,
        understood: Understanding | None,
    ) -> None:
        self.emit(
            TurnHeard(
                self.call_id,
                self.clock.now(),
                seq=self.next_seq(),
                speaker=speaker,
                text=text,
                question=question,
                start_s=span[0],
                end_s=span[1],
                confidence=confidence,
                alert=understood.alert if understood else Alert.NONE,
                judgement=judgement(understood),
            )
        )

    def answer(self, stored: StoreAnswer) -> None:
        self.emit(
            AnswerGiven(
                self.call_id,
                self.clock.now(),
                question=stored.question,
                topic=str(stored.topic),
                answer=stored.answer,
                details=stored.details,
                text=stored.text,
                confidence=stored.confidence,
                source=stored.source,
            )
        )

    def alert(self, raised: RaiseAlert, span: tuple[float, float], now_s: float, relative: bool) -> None:
        """`span`, `now_s`: seconds of the recording; their distance is how long a human had to wait."""
        understood = raised.understanding
        self.emit(
            AlertRaised(
                self.call_id,
                self.clock.now(),
                alert=understood.alert,
                question=raised.question,
                text=understood.text,
                evidence=understood.evidence,
                reasons=understood.reasons,
                event=str(understood.main.event) if understood.main else None,
                start_s=span[0],
                end_s=span[1],
                relative=relative,
                seconds_since_spoken=round(max(0.0, now_s - span[1]), 3),
            )
        )

    def duty(self, nth: int, outcome: DutyOutcome, now_s: float) -> None:
        """An event for the case, and a line of the transcript, where it has only its moment."""
        at = self.clock.now()
        self.emit(DutyRang(self.call_id, at, nth=nth, outcome=outcome))
        self.emit(
            TurnHeard(
                self.call_id,
                at,
                seq=self.next_seq(),
                speaker=Speaker.SYSTEM,
                text=f"（{told(nth, outcome)}）",
                question=URGENT,
                start_s=now_s,
                end_s=now_s,
            )
        )

    def remembered(self, what: str) -> None:
        self.emit(Remembered(self.call_id, self.clock.now(), what=what))


def span_of(utterance: Utterance | None, now_s: float) -> tuple[float, float]:
    """Where it was said; a key or a timer has only its moment."""
    return (utterance.start_s, utterance.end_s) if utterance else (now_s, now_s)
