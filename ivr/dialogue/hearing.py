"""What a turn means at its stage: speech by understanding, keys by the dialplan."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue.asking import ask_at
from ivr.dialogue.model import Keys, Speech
from ivr.dialogue.plan import URGENT_KEY, Ask
from ivr.dialogue.turn import CONFIRM, RELATIVE, Turn
from ivr.understanding.model import Question, Understanding
from xunfang.vocabulary import Alert


def judged(turn: Turn) -> Turn:
    if isinstance(turn.heard, Speech):
        understood: Understanding | None = turn.understand(turn.heard.text, topic_of(turn))
    elif isinstance(turn.heard, Keys):
        understood = _pressed(turn, turn.heard.digits)
    else:
        understood = None
    return replace(turn, understood=_reviewed(turn, understood))


def topic_of(turn: Turn) -> Question:
    """The question in whose light an utterance is read."""
    at = turn.state.at
    if at == CONFIRM:
        return Question.EVENT
    if at == RELATIVE:
        return Question.IDENTITY  # the elder may have come to the telephone
    ask = ask_at(turn.plan, at)
    return ask.topic if ask else Question.ANY


def _pressed(turn: Turn, digits: str) -> Understanding | None:
    """The first key that the question knows. Keys work whenever a question is open, offered or not."""
    ask = ask_at(turn.plan, turn.state.at)
    key = next((digit for digit in digits if ask and digit in ask.keys), None)
    if ask is None or key is None:
        return None
    text = f"按键{key}"
    if ask.keys[key] == URGENT_KEY:
        return Understanding(
            text, ask.topic, Alert.URGENT, "unclear", plea=True, reasons=("keypad",), evidence=(text,)
        )
    return Understanding(text, ask.topic, Alert.NONE, ask.keys[key], reasons=("keypad",))


def _reviewed(turn: Turn, understood: Understanding | None) -> Understanding | None:
    """Answers that the dialplan wants a human to see, whatever the words were."""
    ask: Ask | None = ask_at(turn.plan, turn.state.at)
    if understood is None or ask is None or understood.alert is not Alert.NONE:
        return understood
    if understood.answer not in ask.review_on:
        return understood
    reasons = (*understood.reasons, f"{ask.id}: {understood.answer}")
    return replace(understood, alert=Alert.REVIEW, reasons=reasons)
