"""One answer from a recording, through the very path of a call but for the network (试听).

8 kHz, G.711, endpointer, the grammar of the question, tones told apart from speech, then what the
dialogue makes of it: `ivr.dialogue.hearing`, which a call uses too. Not even the thresholds are here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.dialogue.dialplan import Dialplan, phrases
from ivr.dialogue.hearing import as_heard, meaning, topic_at
from ivr.dialogue.turn import Understand
from ivr.speech.endpointer import TAIL_MS
from ivr.speech.file import joined, recognise_pcm
from ivr.speech.recogniser import Recogniser
from ivr.understanding.model import Understanding


@dataclass(frozen=True, slots=True)
class Answered:
    """`text` empty: not one known word. `tone`: busy, ringback, beep, music instead of speech.

    `understood` None: nothing was said at all.
    """

    text: str = field(repr=False)
    confidence: float | None
    tone: str | None
    understood: Understanding | None = field(repr=False)


def hear_answer(
    pcm: bytes,
    recogniser: Recogniser,
    plan: Dialplan,
    at: str,
    understand: Understand,
    tail_ms: int = TAIL_MS,
) -> Answered:
    """`at`: the question's id in the dialplan (ivr.dialogue.hearing.stage_of). A recording holds one
    answer: pieces between long pauses are joined, where a call would answer the first of them."""
    utterances = recognise_pcm(pcm, recogniser, phrases(plan, topic_at(plan, at)), tail_ms)
    heard = joined(utterances)
    tones = (each.tone for each in utterances if each.tone and not heard.text)
    tone = next(tones, None)
    spoken = as_heard(heard.text, heard.confidence, words=bool(heard.words), tone=tone)
    return Answered(heard.text, heard.confidence, tone, meaning(plan, at, spoken, understand))
