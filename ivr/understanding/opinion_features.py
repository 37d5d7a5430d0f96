"""What the second opinion looks at: n-grams of characters and of sounds, the question, what the rules read.

Taken from the normalised text without pauses, so that the particles, politeness and punctuation
which `text.normalise` takes away change nothing. Sounds are `phonetic.sound`: what a recogniser
confuses looks alike here. What the rules read is told as facts (`r:fire.affirmed`, `r:urgent.chest.pain`):
from sentences that no rule was written from the model learns how far each of them is to be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import ahocorasick

from ivr.understanding.model import Event, Polarity, Question, Subject, Time, Understanding
from ivr.understanding.phonetic import code_of_sound, encode, sound
from xunfang.vocabulary import Alert

MAX_CHARS = 80  # an opinion about a novel is worth nothing, and costs time
_QUESTION = "q:"
_RULES = "r:"
MAX_KEPT = 4096  # combinations of what rules read; some hundreds are usual
ANSWERED = "r:="  # facts about the answer begin with this: they speak to the answer only
CHAR_GRAMS = 3  # and sounds by twos and threes
ASKED_GRAMS = 2  # 没有 says one thing of gas and another of company: up to so many characters, by question


def _bare(normalised: str) -> str:
    return normalised.replace("，", "").replace("？", "").replace(" ", "")[:MAX_CHARS]


def features(normalised: str, question: Question) -> list[str]:
    """Keys of the features that are present; a key that occurs twice is there twice.

    Sounds are joined by blanks, which no text holds here."""
    text = _bare(normalised)
    chars = f"^{text}$"
    sounds = ["^", *map(sound, text), "$"]
    size = len(chars)
    asked = f"{_QUESTION}{question.value}"
    found = [asked]
    for length in range(1, CHAR_GRAMS + 1):
        grams = [chars[at : at + length] for at in range(size - length + 1)]
        found += grams
        if length <= ASKED_GRAMS:
            found += [f"{asked}:{gram}" for gram in grams]
    pairs = [one + " " + other for one, other in pairwise(sounds)]
    found += pairs
    found += [pair + " " + third for pair, third in zip(pairs, sounds[2:], strict=False)]
    return found


def facts(ruled: Understanding, *, without_denials: bool = False) -> list[str]:
    """What the rules read in the utterance, as features.

    `without_denials` leaves out the events that were cleanly denied: a denial can add nothing to an alert.
    """
    main, judged = ruled.main, list(ruled.judgements)
    if without_denials:
        judged = [each for each in judged if each.polarity is not Polarity.NEGATED]
        if main is not None and main.polarity is Polarity.NEGATED and ruled.alert is Alert.NONE:
            main = None
    about_main = _of_main(
        ruled.alert, main and (main.event, main.polarity, main.time, main.subject, main.entry)
    )
    beside = [
        f"{_RULES}+{kind}" for each in judged if each is not main for kind in (each.event.value, each.entry)
    ]
    return [*about_main, *beside, *_of_answer(ruled.question, ruled.alert, ruled.answer)]


@lru_cache(maxsize=MAX_KEPT)
def _of_main(alert: Alert, main: tuple[Event, Polarity, Time, Subject, str] | None) -> list[str]:
    found = [alert.value]
    if main is not None:
        event, polarity, time, subject, entry = main
        slots = f"{polarity.value}.{time.value}.{subject.value}"
        found += [event.value, polarity.value, time.value, subject.value, slots, entry]
        found += [f"{event.value}.{polarity.value}", f"{event.value}.{slots}"]
        found += [f"{alert.value}.{event.value}", f"{alert.value}.{entry}"]
    return [_RULES + fact for fact in found]


@lru_cache(maxsize=MAX_KEPT)
def _of_answer(question: Question, alert: Alert, answer: str) -> list[str]:
    return [ANSWERED + fact for fact in (answer, f"{question.value}.{answer}", f"{alert.value}.{answer}")]


class KnownFeatures:
    """The features that a model knows, found in two passes over the utterance instead of one look-up each.

    `rows` gives the numbers of the known ones among `features` and the facts, in no particular order.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._chars = ahocorasick.Automaton()
        self._sounds = ahocorasick.Automaton()
        self._asked: dict[str, ahocorasick.Automaton] = {}  # by question
        self._told: dict[str, int] = {}  # the question, and what the rules read
        for row, key in enumerate(keys):
            question, asked, gram = key.removeprefix(_QUESTION).partition(":")
            if key.startswith(_QUESTION) and asked:
                self._asked.setdefault(question, ahocorasick.Automaton()).add_word(gram, row)
            elif key.startswith((_QUESTION, _RULES)):
                self._told[key] = row
            elif " " in key:
                self._sounds.add_word("".join(map(code_of_sound, key.split(" "))), row)
            else:
                self._chars.add_word(key, row)
        for automaton in (self._chars, self._sounds, *self._asked.values()):
            automaton.make_automaton()

    def rows(self, normalised: str, question: Question, facts: Sequence[str] = ()) -> list[int]:
        text = _bare(normalised)
        bordered = f"^{text}$"
        rows = [row for _, row in self._chars.iter(bordered)]
        if question.value in self._asked:
            rows += [row for _, row in self._asked[question.value].iter(bordered)]
        rows += [row for _, row in self._sounds.iter(f"^{encode(text)}$")]
        told = self._told
        rows += [told[key] for key in (_QUESTION + question.value, *facts) if key in told]
        return rows
