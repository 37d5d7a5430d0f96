"""Answers that may come at any time, and which of them wins beside a real answer."""

from __future__ import annotations

from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Question
from ivr.understanding.patterns import longest_only

# These win over any answer: the elder's will comes first.
OVERRIDING = ("opt_out", "ask_human")
# Beside no real answer, the first of these that was heard.
ORDER = (
    "opt_out", "ask_human", "silence_noise", "busy_later", "slower_louder", "repeat_request", "not_heard", "goodbye",
    "backchannel",
)  # fmt: skip
# To the opening question a postponement is the answer (是我，我在外面，晚点打).
POSTPONES = frozenset({Question.IDENTITY, Question.ANY, Question.CALLBACK})


def find_controls(text: str, lexicon: Lexicon) -> list[str]:
    """Control classes heard, strongest first."""
    entries, patterns = lexicon.patterns("control")
    heard = {entries[h.owner].get("class") for h in longest_only(patterns.find(text))}
    return [c for c in ORDER if c in heard]


def decide(controls: list[str], answer: str, question: Question, danger: bool) -> str:
    """The answer class of the utterance, given the controls heard and the answer to the question."""
    if danger or not controls:
        return answer
    for control in controls:
        if control in OVERRIDING:
            return control
    if "busy_later" in controls and question in POSTPONES and answer in ("self", "other", "unclear"):
        return "busy_later"
    if answer in ("unclear", "other"):
        return controls[0]
    return answer
