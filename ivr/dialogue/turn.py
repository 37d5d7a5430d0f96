"""One turn of the conversation, and the names of the stages that are no questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ivr.dialogue.model import Action, Because, Heard, Keys, Speech, State, Step
from ivr.dialogue.plan import Dialplan
from ivr.understanding.model import Question, Understanding
from xunfang.vocabulary import AnswerSource, Speaker

OPENING = "opening"
IDENTITY = "identity"
RELATIVE = "relative"
CONFIRM = "confirm"
OPT_OUT = "opt_out"
CLOSING = "closing"
URGENT = "urgent"
WITH_DUTY = "with_duty"  # the duty person speaks; we are silent until somebody hangs up
ENDED = "ended"
WHO = "who"  # who of a shared telephone is calling us
ANNOUNCED = "announced"  # a caller who is told a number, and nothing else
FIRST_QUESTION = "first_question"  # State.back_to: the elder is known, nothing has been asked
BEFORE_IDENTITY = frozenset({OPENING, IDENTITY, RELATIVE, OPT_OUT, WHO})  # who speaks may still be open
STAGES = frozenset(
    {
        OPENING,
        IDENTITY,
        RELATIVE,
        CONFIRM,
        OPT_OUT,
        CLOSING,
        URGENT,
        WITH_DUTY,
        ENDED,
        FIRST_QUESTION,
        WHO,
        ANNOUNCED,
    }
)

Understand = Callable[[str, Question], Understanding]

UNKNOWN = "[unk]"  # the recogniser: somebody spoke, but nothing that its grammar expects
PARTICLES = "啊呀呢的了嘛吧哦喔哟嘞"
PUNCTUATION = str.maketrans("", "", " ,.!?;:，。！？；：、…—~")


@dataclass(frozen=True, slots=True)
class Turn:
    """What was heard at one stage, and what it means there."""

    plan: Dialplan
    state: State
    heard: Heard
    understand: Understand
    understood: Understanding | None = None  # None when nothing was said

    @property
    def text(self) -> str:
        return self.heard.text if isinstance(self.heard, Speech) else ""

    @property
    def bare(self) -> str:
        """The text without punctuation and unknown words, for word lists."""
        return self.text.replace(UNKNOWN, "").translate(PUNCTUATION)

    @property
    def confidence(self) -> float | None:
        return self.heard.confidence if isinstance(self.heard, Speech) else None

    @property
    def answer(self) -> str:
        return self.understood.answer if self.understood else ""

    @property
    def early(self) -> bool:
        """It came while we were still speaking."""
        return isinstance(self.heard, (Speech, Keys)) and self.heard.during_prompt

    @property
    def source(self) -> AnswerSource:
        return AnswerSource.RELATIVE if self.state.relative else AnswerSource.SELF

    def says(self, words: Iterable[str]) -> bool:
        """One of the words stands somewhere in what was said."""
        return any(word in self.bare for word in words)

    def says_only(self, words: Iterable[str]) -> bool:
        """The words, with particles, are all that was said: 是的是的, but not 没事 for 没."""
        longest_first = sorted(words, key=len, reverse=True)
        choice = "|".join(re.escape(word) for word in longest_first)
        return re.fullmatch(f"(?:我?(?:{choice})[{PARTICLES}]*)+", self.bare) is not None

    def step(self, state: State, *actions: Action) -> Step:
        speaker = Speaker.RELATIVE if self.state.relative or state.relative else Speaker.ELDER
        if state.ended in (Because.ANNOUNCEMENT, Because.MACHINE):
            speaker = Speaker.MACHINE
        return Step(state, actions, self.understood, speaker)

    def with_state(self, **changes: object) -> Turn:
        return replace(self, state=replace(self.state, **changes))  # type: ignore[arg-type]
