"""Shapes of a conversation (对话). Pure data: a whole call can be run as text in microseconds.

The interpreter maps (dialplan, state, heard) to a Step: a new state and what to do. The
session does it: plays what is said, listens, stores, rings somebody. Nothing here knows of
time, audio or telephones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ivr.understanding.model import Question, Understanding
from xunfang.vocabulary import AnswerSource, Speaker


class Because(StrEnum):
    """Why the dialogue (or the line) ended an answered call."""

    FINISHED = "finished"
    OPT_OUT = "opt_out"
    OTHER_PERSON = "other_person"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    ASKED_LATER = "asked_later"
    SILENT = "silent"  # nobody ever spoke
    UNHEARD = "unheard"  # somebody spoke, but we could not understand enough
    MACHINE = "machine"  # voicemail, assistant
    ANNOUNCEMENT = "announcement"  # carrier's voice; `announcement` says which
    URGENT = "urgent"  # danger: handed to a human or held until the elder ended it
    HUNG_UP = "hung_up"  # the other side ended it before the end
    MEDIA_LOST = "media_lost"  # RTP stopped
    TOO_LONG = "too_long"
    OUR_FAULT = "our_fault"  # we failed; never the elder's fault


# ---- what came in -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Speech:
    """One finished utterance. `during_prompt`: it was spoken while we were speaking."""

    text: str
    confidence: float | None = None
    during_prompt: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    digits: str
    during_prompt: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """The listening time ran out with no speech."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Sound that is no speech (tones, music); `tone` names it: busy, ringback, beep, music."""

    tone: str


@dataclass(frozen=True, slots=True)
class DutyAnswered:
    """The duty person has been bridged in: a human has taken over. `unasked`: of his own accord (接管),
    whatever the call was at; it need not be an urgent one."""

    unasked: bool = False


@dataclass(frozen=True, slots=True)
class DutyNext:
    """Nobody has come yet, or who seemed to have come was a machine: the next telephone is being rung."""


@dataclass(frozen=True, slots=True)
class DutyFailed:
    """The duty person could not be reached."""


Heard = Speech | Keys | Silence | Noise | DutyAnswered | DutyNext | DutyFailed


# ---- what to do -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """Play these prompt texts one after another. Danger may always interrupt."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listen:
    """After what was said: wait for an answer. `topic` selects the grammar."""

    topic: Question
    question: str  # id in the dialplan, for the transcript
    seconds: float  # how long to wait for speech to begin
    max_answer_seconds: float = 20.0
    keypad: bool = False  # digits are offered now


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    question: str
    topic: Question
    answer: str
    details: tuple[str, ...] = ()
    text: str = ""
    confidence: float | None = None
    source: AnswerSource = AnswerSource.SELF


@dataclass(frozen=True, slots=True)
class RaiseAlert:
    """A human must know: now (URGENT) or today (REVIEW)."""

    understanding: Understanding
    question: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Something about the elder for the next call: hard_of_hearing, opt_out."""

    what: str


@dataclass(frozen=True, slots=True)
class RingDuty:
    """Ring the duty person while the line stays open."""


@dataclass(frozen=True, slots=True)
class End:
    because: Because
    announcement: str | None = None  # CallDisposition value when a carrier spoke


@dataclass(frozen=True, slots=True)
class Chose:
    """A caller of a shared telephone said who he is: `Callee.choices[number - 1]`.

    Another conversation, with that person's own questions, goes on from here.
    """

    number: int


Action = Say | Listen | StoreAnswer | RaiseAlert | Remember | RingDuty | End | Chose


@dataclass(frozen=True, slots=True)
class Callee:
    """Who is being called, as far as the dialogue may know: no name beyond the spoken title."""

    title: str = ""  # 王奶奶; empty: a neutral greeting
    slow: bool = False  # begin with the slower wording
    answered: tuple[str, ...] = ()  # question ids that an earlier, cut-off call already answered
    recorded: bool = True  # whether the call is recorded: only then the greeting says so
    rang_us: bool = False  # it is they who called: we speak first
    why: str = ""  # 来电: why we had called, said behind the greeting; a text of the dialplan's `callback`
    choices: tuple[str, ...] = ()  # 来电: spoken titles of all who share the caller's number
    announce: tuple[str, ...] = ()  # 来电: all that this caller is told; then a short listening for danger
    stranger: bool = False  # nobody knows where this caller lives: never promise to send somebody
    contact: bool = False  # 联系人: not the elder, but somebody who may be able to reach him
    about: str = ""  # 联系人: the spoken title of the elder; empty: it cannot be said


class Duty(StrEnum):
    """Where the ringing of the duty person (值班人员) stands."""

    NOT_RUNG = "not_rung"
    RINGING = "ringing"
    FAILED = "failed"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class State:
    """Where the conversation stands. Fields are the interpreter's business, and picklable."""

    at: str = "opening"  # a question id or one of ivr.dialogue.turn's stages
    callee: Callee = field(default_factory=Callee)
    relative: bool = False  # somebody else speaks: disclose nothing, answers are relative-says
    slow: bool = False  # slower wording from now on
    spoke: bool = False  # a person has been heard at all
    turns: int = 0  # everything heard so far: a call is never endless
    misses: int = 0  # silence or unclear, in a row on this question
    repeats: int = 0  # how often this question was said again because the elder asked
    concretely: bool = False  # this question was last asked in its concrete wording
    encouraged: bool = False  # 您慢慢说 was said on this question
    not_heard: int = 0  # how often the elder could not hear us, in the whole call
    human_asked: bool = False
    answers: tuple[tuple[str, str], ...] = ()  # (question id, answer) of this call; given up: unclear
    lost: int = 0  # questions given up in a row
    pending: Understanding | None = None  # waits for one confirming question
    pending_at: str = ""  # the stage where it was said
    slot: str = ""  # the open slot that is being confirmed: polarity, subject, time
    back_to: str = ""  # the stage to return to after a confirmation
    urgent: bool = False
    alerted: tuple[str, ...] = ()  # kinds of danger that a human has been told of
    duty: Duty = Duty.NOT_RUNG
    rounds: int = 0  # calm words said while the line is held
    rung_again: int = 0  # the duty people, after they had left or had not come
    ended: Because | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`state` is opaque to the session. `understood` is what the utterance was judged to mean.

    Without actions: go on as you were (keep playing, keep listening, keep the bridge open).
    """

    state: State
    actions: tuple[Action, ...] = ()
    understood: Understanding | None = None
    speaker: Speaker = Speaker.ELDER
