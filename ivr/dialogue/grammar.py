"""What the recogniser's grammar must hold while the dialogue listens for one topic."""

from __future__ import annotations

from ivr.dialogue.model import Callee
from ivr.dialogue.plan import Dialplan
from ivr.understanding import announcement_phrases, answer_phrases, control_phrases, distress_phrases
from ivr.understanding.model import Question

# Before somebody is known to be the elder, a carrier or a voicemail may be what speaks.
BEFORE_A_PERSON = (Question.ANY, Question.IDENTITY)
OF_CONFIRMATIONS = Question.EVENT  # see confirming.py
OF_OPTING_OUT = Question.ANY  # see opting_out.py


def phrases(plan: Dialplan, topic: Question) -> tuple[str, ...]:
    """Danger and control phrases always, then the topic's answers and the dialplan's own words."""
    found = [*distress_phrases(), *control_phrases(), *plan.opt_out.advertised, *answer_phrases(topic)]
    if topic in BEFORE_A_PERSON:
        found += announcement_phrases()
    if topic is Question.IDENTITY:
        found += (*plan.other_person.handover_words, *plan.other_person.wait_words)
        for volunteered in plan.other_person.volunteers:
            found += answer_phrases(volunteered)
    if topic is OF_CONFIRMATIONS:
        found += (*plan.confirm.yes_words, *plan.confirm.no_words)
    if topic is OF_OPTING_OUT:
        found += (*plan.opt_out.yes_words, *plan.opt_out.no_words)
    for ask in (plan.identity, *plan.questions):
        if ask.topic is topic:
            found += ask.phrases
            for words in (*ask.means.values(), *ask.concrete_means.values()):
                found += words
    return tuple(dict.fromkeys(found))


def duty_phrases(plan: Dialplan) -> tuple[str, ...]:
    """While it is open who has answered the duty telephone (screening.py)."""
    return tuple(dict.fromkeys((*plan.urgent.duty_words, *announcement_phrases())))


def who_phrases(plan: Dialplan, callee: Callee) -> tuple[str, ...]:
    """Beside those of IDENTITY while the caller of a shared telephone is asked who he is."""
    counted = plan.callback.words if plan.callback is not None else ()
    found: list[str] = []
    for title, words in zip(callee.choices, counted, strict=False):
        found += (title, f"我是{title}", *words)
    return tuple(dict.fromkeys(found))
