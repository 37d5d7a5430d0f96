"""Who answered the duty telephone (接听甄别): a person, a machine, or nobody can tell yet. Pure.

A carrier's voice, a mailbox or a telephone's assistant behind 200 OK is no human who has taken over.
Judged by what is said and by tones, never by how long it lasts. The three mistakes are not alike: a machine
taken for a person leaves the elder alone with it; a person taken for a machine is rung again; whoever is not
understood is asked once more, while the next number rings. So a person must be heard clearly, as nothing
but words that somebody says who picks up.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ivr.dialogue.belief import MIN_CONFIDENCE
from ivr.dialogue.mending import made_of
from ivr.dialogue.turn import PUNCTUATION, Understand
from ivr.understanding.model import Question
from xunfang.vocabulary import DutyOutcome, zh

TONES_OF_A_MACHINE = frozenset({"beep", "busy"})  # of a mailbox, and of a line on which nobody is any more
VOICEMAIL = "machine"  # of ivr.understanding's answers, beside carrier_announcement
# A switchboard says so too, and then a human comes: no proof either way.
PLEASE_WAIT = ("稍等", "稍候", "不要挂机", "别挂机", "勿挂机", "转接")

OF_ALL = frozenset(
    {
        DutyOutcome.NONE_CAME,
        DutyOutcome.NO_NUMBER,
        DutyOutcome.TRANSFERRED,
        DutyOutcome.NOT_TRANSFERRED,
        DutyOutcome.UNKNOWN,
    }
)  # outcomes of no single telephone


class Sign(StrEnum):
    PERSON = "person"
    MACHINE = "machine"
    UNSURE = "unsure"


def told(nth: int, outcome: DutyOutcome) -> str:
    """What came of one telephone, for the transcript and the history of the case. `nth`: which duty number,
    from 1; 0: none of them."""
    if nth:
        return f"值班电话{nth}：{zh(outcome)}"
    return f"{'值班电话' if outcome in OF_ALL else '督导接管电话'}：{zh(outcome)}"


def sign_of(
    text: str, confidence: float | None, tone: str | None, words: Iterable[str], understand: Understand
) -> Sign:
    """What one utterance, or a silence with a tone in it, says about who is there.

    `words`: what a person says who picks up (dialplan, `urgent.duty_words`). `confidence` as of the
    recogniser; None (a model that gives none) counts as clear.
    """
    if tone in TONES_OF_A_MACHINE:
        return Sign.MACHINE
    bare = text.translate(PUNCTUATION)
    if not bare:
        return Sign.UNSURE
    understood = understand(text, Question.ANY)
    if understood.announcement is not None:
        waits = understood.answer != VOICEMAIL and any(word in bare for word in PLEASE_WAIT)
        return Sign.UNSURE if waits else Sign.MACHINE
    clear = confidence is None or confidence >= MIN_CONFIDENCE
    return Sign.PERSON if clear and made_of(bare, words) else Sign.UNSURE
