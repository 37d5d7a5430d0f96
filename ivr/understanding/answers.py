"""The answer class of one utterance for the question that was asked.

Each question's entries are matched (longest match wins inside one question); this module
resolves what remains: contradiction takes the worse reading, except where the elder says
that the bad is over, partial, old or somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable

from ivr.understanding.answers_body import illness, mobility, mood, wellbeing
from ivr.understanding.answers_heard import Heard
from ivr.understanding.answers_house import safety
from ivr.understanding.answers_life import callback, economy, event, family, identity, needs
from ivr.understanding.answers_words import answer_hits, that_still_hold
from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Question, Subject
from ivr.understanding.patterns import Hit
from ivr.understanding.slot_model import Judged

_RESOLVERS: dict[Question, Callable[[Heard], str]] = {
    Question.IDENTITY: identity,
    Question.HEALTH: wellbeing,
    Question.MOOD: mood,
    Question.MOBILITY: mobility,
    Question.ILLNESS: illness,
    Question.GAS: safety,
    Question.WATER_HEATING: safety,
    Question.ELECTRICITY: safety,
    Question.FIRE: safety,
    Question.NEEDS: needs,
    Question.FAMILY: family,
    Question.ECONOMY: economy,
    Question.EVENT: event,
    Question.CALLBACK: callback,
}


def answer(
    text: str,
    question: Question,
    judged: list[Judged],
    *,
    urgent: bool,
    concern: bool,
    relative: bool,
    named: bool,
    idioms: list[Hit],
    lexicon: Lexicon,
) -> tuple[str, int]:
    """The class, and where the last word of the answer began (-1: nothing answered)."""
    if question is Question.ANY:
        moans = judged and all(s.subject is Subject.UNKNOWN for _, s in judged)
        return ("unclear" if moans else "other"), -1
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for klass, hit in that_still_hold(text, answer_hits(text, question, judged, idioms, lexicon)):
        last[klass] = hit.start
        first.setdefault(klass, hit.start)
    if "not_good" in last:  # 不咋高兴: weaker than a complaint, it yields to 就那样
        at = last.pop("not_good")
        first.pop("not_good")
        if "same" not in last:
            last["worse"] = max(at, last.get("worse", -1))
            first.setdefault("worse", at)
    heard = Heard(text, question, last, first, judged, urgent, concern, relative, named)
    return _RESOLVERS[question](heard), max((at for c, at in last.items() if c != "unclear"), default=-1)
