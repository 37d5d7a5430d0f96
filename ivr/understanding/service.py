"""`understand`: one utterance in, everything that it meant out (语义判断). Pure and fast."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ivr.understanding import alert as alerts
from ivr.understanding import wording
from ivr.understanding.alert import RANK, Surroundings, worst
from ivr.understanding.announcements import find_announcement
from ivr.understanding.answers import answer
from ivr.understanding.controls import decide, find_controls
from ivr.understanding.cues import Cues, cues_of
from ivr.understanding.details import details, names_need
from ivr.understanding.durations import Spoken, spoken_times
from ivr.understanding.events import event_finder
from ivr.understanding.fusion import fuse
from ivr.understanding.lexicon import Lexicon, default_lexicon
from ivr.understanding.model import Event, Judgement, Polarity, Question, Subject, Time, Understanding
from ivr.understanding.opinion import shipped
from ivr.understanding.phonetic import repairer
from ivr.understanding.reviews import beside_denial, concerns, review_reason
from ivr.understanding.slot_model import Found, Judged, Slots
from ivr.understanding.slots import corrected, plea_is_meant, read_slots, taken_back
from ivr.understanding.text import Line, clause_of, normalise, rewrite
from xunfang.vocabulary import Alert

# Longer utterances are television or noise; the danger in them is still looked for in the first part.
MAX_CHARS = 600


def understand(
    text: str, question: Question | str = Question.ANY, *, lexicon: Lexicon | None = None
) -> Understanding:
    """Judge one utterance given as an answer to `question`: rules and second opinion together.

    Never raises for any text. An unknown question name raises ValueError: that is a bug of the caller.
    """
    asked = Question(question)
    words = lexicon if lexicon is not None else default_lexicon()
    ruled, heard, calm = by_rules(text, asked, words)
    return fuse(ruled, heard, calm, shipped()) if heard else ruled


def by_rules(text: str, asked: Question, words: Lexicon) -> tuple[Understanding, str, str]:
    """(what the rules say, text as heard, the same without clauses that cleanly deny a danger)."""
    line = rewrite(normalise(text[:MAX_CHARS]), _dialect(words))
    if not line.text:
        return (
            Understanding(text, asked, Alert.NONE, "silence_noise", reasons=(wording.NOTHING_SAID,)),
            "",
            "",
        )
    spoken = find_announcement(line.text, words)
    if spoken is not None:
        announced = Understanding(
            text,
            asked,
            Alert.NONE,
            spoken.answer,
            reasons=(wording.announced(spoken.disposition),),
            evidence=(line.quote(spoken.start, spoken.end),),
            announcement=spoken.disposition,
        )
        return announced, line.text, line.text
    return _judge(text, asked, line, words)


def _judge(text: str, question: Question, line: Line, words: Lexicon) -> tuple[Understanding, str, str]:
    finder = event_finder(words)
    repaired = repairer(words).repair(line.text, finder.idiom_spans)
    heard = repaired.text
    found, plea_spans, idioms = finder.find(repaired, question)
    cues = cues_of(words).heard_in(heard)
    relative = cues.relative_speaks(heard)
    pleas = [p for p in plea_spans if plea_is_meant(cues, heard, p[0], p[1])]
    judged: list[Judged] = []
    previous: Judged | None = None
    for item in found:
        slots = read_slots(cues, heard, item, question, previous, bool(pleas))
        previous = (item, slots)
        judged.append(previous)
    judged = _settle(heard, judged, cues)
    around = Surroundings(question, bool(pleas), relative)
    weighed = [alerts.weigh(f, s, around) for f, s in judged]
    reasons = [
        wording.judged(f, s, a, _times_told(cues, heard, f))
        for (f, s), a in zip(judged, weighed, strict=True)
    ]
    evidence = [
        line.quote(f.start, f.end) for (f, _), a in zip(judged, weighed, strict=True) if a is not Alert.NONE
    ]
    level = worst(weighed)
    if pleas:
        level = Alert.URGENT
        reasons += [wording.plea(p[2]) for p in pleas]
        evidence += [line.quote(p[0], p[1]) for p in pleas]
    if level is Alert.URGENT and taken_back(cues, heard, _last_alarm(judged, weighed, pleas)):
        level = Alert.REVIEW
        reasons.append(wording.review(wording.TAKEN_BACK))
    urgent = level is Alert.URGENT
    topics = concerns(heard, words)
    plain, answered_at = answer(
        heard,
        question,
        judged,
        urgent=urgent,
        concern=bool(topics),
        relative=relative,
        named=names_need(heard, words),
        idioms=idioms,
        lexicon=words,
    )
    worried = urgent or any(a is not Alert.NONE for a in weighed)
    final = decide(
        find_controls(heard, question, words),
        plain,
        question,
        answered_at=answered_at,
        danger=worried,
        asks_back=_ASKS_WHO.search(heard) is not None,
        text=heard,
    )
    if level is Alert.NONE:
        reason = review_reason(heard, question, final, topics, words) or beside_denial(heard, judged, words)
        if reason:
            level = Alert.REVIEW
            reasons.append(wording.review(reason))
    main = _main(judged, weighed)
    ruled = Understanding(
        text=text,
        question=question,
        alert=level,
        answer=final,
        judgements=tuple(_judgement(line, f, s) for f, s in judged),
        main=None if main is None else _judgement(line, *main),
        plea=bool(pleas),
        details=details(heard, question, final, words),
        reasons=tuple(reasons),
        evidence=tuple(dict.fromkeys(e for e in evidence if e)),
    )
    return ruled, heard, _calm(heard, judged, weighed, [(idiom.start, idiom.end) for idiom in idioms])


def _last_alarm(judged: list[Judged], weighed: list[Alert], pleas: list[tuple[int, int, str]]) -> int:
    """Where the last words of an urgent end: what is said after them may take them back."""
    ends = [f.end for (f, _), a in zip(judged, weighed, strict=True) if a is Alert.URGENT]
    return max(ends + [p[1] for p in pleas])


def _times_told(cues: Cues, heard: str, found: Found) -> tuple[Spoken, ...]:
    """Lengths and points of time in the clause of an event: a supervisor reads them in days."""
    if not cues.tells_time:
        return ()
    start, end = clause_of(heard, found.start)
    return spoken_times(heard[start : max(end, found.end)])


def _calm(heard: str, judged: list[Judged], weighed: list[Alert], idioms: list[tuple[int, int]]) -> str:
    """The text without clauses in which every event is cleanly denied, and without idioms (救命之恩)."""
    clauses: dict[tuple[int, int], bool] = {}
    for (found, slots), level in zip(judged, weighed, strict=True):
        clause = clause_of(heard, found.start)
        denied = slots.polarity is Polarity.NEGATED and level is Alert.NONE
        clauses[clause] = clauses.get(clause, True) and denied
    gone = [clause for clause, denied in clauses.items() if denied] + idioms
    if not gone:
        return heard
    kept = [char for at, char in enumerate(heard) if not any(start <= at < end for start, end in gone)]
    left = "".join(kept)
    return left if left.strip("，？ ") or idioms else heard


def _settle(text: str, judged: list[Judged], cues: Cues) -> list[Judged]:
    """A word taken back (摔了，哦不是摔) leaves the event open."""
    out: list[Judged] = []
    for i, (found, slots) in enumerate(judged):
        if slots.polarity is Polarity.AFFIRMED and corrected(cues, text, found):
            out.append((found, replace(slots, polarity=Polarity.UNCERTAIN)))
            continue
        if slots.polarity is Polarity.ASKED:
            later = [s for f, s in judged[i + 1 :] if f.event is found.event]
            if later and later[0].polarity in (Polarity.AFFIRMED, Polarity.NEGATED):
                continue
        out.append((found, slots))
    return out


_ASKS_WHO = re.compile(r"(找谁|你谁|是谁|哪位|找哪个|谁呀|谁啊|哪个单位|哪里的|哪儿的)")
_POLARITY_RANK = {Polarity.AFFIRMED: 3, Polarity.UNCERTAIN: 2, Polarity.NEGATED: 1, Polarity.ASKED: 0}
_LEVEL_RANK = {"urgent": 2, "review": 1, "mild": 0}


def _main(judged: list[Judged], weighed: list[Alert]) -> Judged | None:
    """The judgement the alert rests on: the worst, then the surest, then the gravest, then the first."""
    best: Judged | None = None
    best_key: tuple[int, int, int, int, int] | None = None
    for (found, slots), level in zip(judged, weighed, strict=True):
        grave = _LEVEL_RANK[found.level] if level is not Alert.NONE else 0
        key = (
            RANK[level],
            _POLARITY_RANK[slots.polarity],
            grave,
            int(slots.time is Time.NOW),
            int(found.event is not Event.FALL),  # what the fall did says more than the fall
        )
        if best_key is None or key > best_key:
            best, best_key = (found, slots), key
    return best


def _judgement(line: Line, found: Found, slots: Slots) -> Judgement:
    start, end = line.span(found.start, found.end)
    return Judgement(
        event=found.event,
        polarity=slots.polarity,
        time=Time(slots.time),
        subject=Subject(slots.subject),
        start=start,
        end=end,
        evidence=line.original[start:end],
        entry=found.entry,
        cost=found.cost,
    )


def _dialect(words: Lexicon) -> Any:
    slot = "dialect"
    if slot not in words.compiled:
        table = {s: e.get("means") for e in words.of_kind("dialect") for s in e.say}
        longest_first = sorted(table, key=len, reverse=True)
        words.compiled[slot] = (re.compile("|".join(map(re.escape, longest_first)) or "(?!)"), table)
    return words.compiled[slot]
