"""What crosses the border between the supervisor and its line processes: picklable, no live objects.

A CallOrder goes down; events come up as they happen, not at the end of a call, so that
whatever was heard before a line dies is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ivr.dialogue.model import Because, Callee
from xunfang.vocabulary import Alert, AnswerSource, CallDisposition, DutyOutcome, Speaker


@dataclass(frozen=True, slots=True)
class CallOrder:
    call_id: int
    number: str = field(repr=False)
    dialplan: str = "weekly_short"
    callee: Callee = field(default_factory=Callee, repr=False)
    tail_ms: int | None = None
    recording: str | None = None  # absolute path of the stereo WAV to write; None: do not record
    duty_number: str | None = field(default=None, repr=False)
    ring: str = ""  # 来电: the ringing call to pick up instead of dialling `number`


@dataclass(frozen=True, slots=True)
class CallEvent:
    call_id: int
    at: datetime  # UTC


@dataclass(frozen=True, slots=True)
class Ringing(CallEvent):
    early_media: bool = False


@dataclass(frozen=True, slots=True)
class Answered(CallEvent):
    pass


@dataclass(frozen=True, slots=True)
class TurnHeard(CallEvent):
    """One turn of the transcript. start_s/end_s: seconds of the recording.

    `judgement` is what storage keeps (JSON): answer, alert, judgements with their four
    slots and spans, reasons, details.
    """

    seq: int
    speaker: Speaker
    text: str = field(repr=False)
    question: str
    start_s: float
    end_s: float
    confidence: float | None = None
    alert: Alert = Alert.NONE
    judgement: dict[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AnswerGiven(CallEvent):
    question: str
    topic: str
    answer: str
    details: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    confidence: float | None = None
    source: AnswerSource = AnswerSource.SELF


@dataclass(frozen=True, slots=True)
class AlertRaised(CallEvent):
    """`seconds_since_spoken`: from the last word of the utterance to this event."""

    alert: Alert
    question: str
    text: str = field(repr=False)
    evidence: tuple[str, ...] = field(default=(), repr=False)
    reasons: tuple[str, ...] = ()
    event: str | None = None
    start_s: float = 0.0
    end_s: float = 0.0
    relative: bool = False
    seconds_since_spoken: float = 0.0


@dataclass(frozen=True, slots=True)
class Remembered(CallEvent):
    what: str  # hard_of_hearing | opt_out


@dataclass(frozen=True, slots=True)
class DutyRang(CallEvent):
    """What came of one duty telephone (值班电话). `nth`: which of them, from 1; 0: all of them, or a
    supervisor's own telephone (接管)."""

    nth: int
    outcome: DutyOutcome


@dataclass(frozen=True, slots=True)
class RecordingLost(CallEvent):
    """The recording cannot be written (disk full, no permission); the call goes on."""

    why: str


@dataclass(frozen=True, slots=True)
class CallEnded(CallEvent):
    disposition: CallDisposition
    because: Because | None = None  # None when it was never answered
    sip_code: int | None = None
    q850: int | None = None
    hung_up_by: str = ""  # us | them | trunk
    seconds: float = 0.0  # from answer to end
    reply_ms: tuple[float, ...] = ()  # endpoint declared -> first frame of our reply, per turn
