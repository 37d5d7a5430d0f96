"""Polarity, time and subject of an event, read from the words around it.

Every decision looks at the clause of the event first, then at its neighbours. The order of
the questions matters: media and warnings before fear, fear before negation, double negation
before negation (不是没摔 affirms), near misses before affirmation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Event, Polarity, Question, Subject, Time
from ivr.understanding.text import BREAKS, LIST_MARK, clause_of

WINDOW_CHARS = 14  # how far before an event its negation may stand
HYPOTHETICAL_CHARS = 26  # 要是 may stand a clause before the event

# When nothing says otherwise: falls are told afterwards, symptoms are felt now.
DEFAULT_TIME: dict[Event, Time] = {
    Event.FALL: Time.RECENT,
    Event.VIOLENCE: Time.RECENT,
    Event.LOST: Time.RECENT,
    Event.FRAUD: Time.RECENT,
}
# A denied event of these kinds was asked about for the time since the last visit.
DENIED_TIME: dict[Event, Time] = {
    Event.FALL: Time.RECENT,
    Event.VIOLENCE: Time.RECENT,
    Event.LOST: Time.RECENT,
    Event.FRAUD: Time.RECENT,
    Event.UNCONSCIOUS: Time.RECENT,
    Event.POISONING: Time.RECENT,
}
# The elder is the victim, whoever is named: 儿子打我.
VICTIM_IS_SELF = frozenset({Event.VIOLENCE, Event.FRAUD})


@dataclass(frozen=True, slots=True)
class Found:
    """An event seen at `start:end` of the normalised text."""

    event: Event
    start: int
    end: int
    entry: str
    level: str
    polarity: str = ""
    time: str = ""
    subject: str = ""
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Slots:
    polarity: Polarity
    time: Time
    subject: Subject
    near_miss: bool = False
    media: bool = False
    warning: bool = False
    resolved: bool = False
    mild: bool = False
    strong: bool = False
    far: bool = False
    explicit_now: bool = False


_ECHO = re.compile(
    r"(摔|疼|痛|晕|漏|着|喘|流|闷|麻|吃|骗|打|吐|丢|闻|有|是|起|冒|歪|昏|跌|绊)(没|不|冇)(有)?\1"
)
_ECHO_DENIED = re.compile(r"[^，？]{0,6}[，？][^，？]{0,3}?(没|不|冇|哪有|哪能|无)")
_PAREN_NEG = re.compile(r"(都|也|是|倒)?(没|不|冇)$")
_SELF_DONE = re.compile(r"(吗|没有|没|不)？$")


class SlotReader:
    """The cue words of one lexicon, compiled."""

    def __init__(self, lexicon: Lexicon) -> None:
        def cue(name: str) -> str:
            return lexicon.cue(name)

        filler = f"(?:{cue('negation_filler')})"
        self._negated = re.compile(f"(?:{cue('negation_before')}){filler}{{0,4}}$")
        self._double = re.compile(f"(?:{cue('double_negation')}){filler}{{0,3}}$")
        self._not_so = re.compile(f"(?:{cue('not_so')})(?:{filler}|因为|真|我){{0,2}}$")
        self._negated_after = re.compile(cue("negation_after"))
        self._near = re.compile(f"(?:{cue('near_miss')})[^，？]{{0,6}}$")
        self._fear = re.compile(f"(?:{cue('fear')})[^，？]{{0,5}}$")
        self._hypothetical = re.compile(cue("hypothetical"))
        self._hypothetical_after = re.compile(
            f"^[^，？]{{0,4}}[，？]?[^，？]{{0,5}}(?:{cue('hypothetical_after')})"
        )
        self._rhetorical = re.compile(f"(?:{cue('rhetorical')})(?:{filler}|我){{0,3}}$")
        self._uncertain = re.compile(f"(?:{cue('uncertain')})[^，？]{{0,6}}$")
        self._asked = re.compile(f"(?:{cue('asked')})[^，？]{{0,4}}$")
        self._media = re.compile(cue("media"))
        self._warning = re.compile(cue("warning"))
        self._correction = re.compile(f"^[^，？]{{0,3}}[，？](?:{cue('correction')})")
        self._past = re.compile(cue("past"))
        self._recent = re.compile(cue("recent"))
        self._now = re.compile(cue("now"))
        self._habitual = re.compile(cue("habitual"))
        self._resolved = re.compile(cue("resolved"))
        self._mild = re.compile(cue("mild"))
        self._strong = re.compile(cue("strong"))
        self._far = re.compile(cue("far"))
        self._relative = re.compile(cue("relative_speaker"))
        self._mother = re.compile(cue("mother_speaks"))
        # Longest first inside each, and other before self so that 我妈 is not 我.
        self._people = re.compile(
            f"(?P<spouse>{cue('spouse')})|(?P<other>{cue('other')})|(?P<self>{cue('self')})"
        )

    def relative_speaks(self, text: str) -> bool:
        return bool(self._relative.search(text))

    def mother_speaks(self, text: str) -> bool:
        return bool(self._mother.search(text))

    def has_media(self, text: str) -> bool:
        return bool(self._media.search(text))

    def plea_is_meant(self, text: str, start: int, end: int) -> bool:
        """Not quoted, not denied, not imagined."""
        clause_start, _ = clause_of(text, start)
        before = text[max(clause_start, start - WINDOW_CHARS) : start]
        far_before = text[max(0, start - HYPOTHETICAL_CHARS) : start]
        return not (
            self._negated.search(before)
            or self._fear.search(before)
            or self._rhetorical.search(before)
            or self._media.search(far_before)
            or self._is_hypothetical(far_before)
            or self._warning.search(text[: end + 8])
        )

    def corrected(self, text: str, found: Found) -> bool:
        return bool(self._correction.match(text[found.end : found.end + 12]))

    def read(
        self, text: str, found: Found, question: Question, previous: tuple[Found, Slots] | None
    ) -> Slots:
        start, end = clause_of(text, found.start)
        end = max(end, found.end)
        before = text[max(start, found.start - WINDOW_CHARS) : found.start]
        after = text[found.end :]
        whole = text[start:end]
        far_before = text[max(0, found.start - HYPOTHETICAL_CHARS) : found.start]
        media_match = self._media.search(far_before)
        media = media_match is not None
        warning = not media and bool(self._warning.search(text[: found.end + 8]))
        subject = self._subject(text, found, start, previous, media)
        polarity, near, hypothetical = self._polarity(
            text, found, before, after, far_before, previous, media, warning
        )
        time, explicit_now = self._time(text, found, start, end, polarity, hypothetical, media)
        # A softener or a recovery counts in this clause and the two that follow it.
        tail = _following(text, end, 2)
        context = whole + tail
        return Slots(
            polarity=polarity,
            time=time,
            subject=subject,
            near_miss=near,
            media=media,
            warning=warning,
            resolved=bool(self._resolved.search(context)),
            mild=bool(self._mild.search(whole)) or bool(self._mild.search(tail)),
            strong=bool(self._strong.search(whole + _following(text, end, 1))),
            far=bool(self._far.search(whole) or self._far.search(text[max(0, start - 8) : start])),
            explicit_now=explicit_now,
        )

    def _polarity(
        self,
        text: str,
        found: Found,
        before: str,
        after: str,
        far_before: str,
        previous: tuple[Found, Slots] | None,
        media: bool,
        warning: bool,
    ) -> tuple[Polarity, bool, bool]:
        """Polarity, near miss, hypothetical."""
        span = text[found.start : found.end]
        if warning:
            return Polarity.UNCERTAIN, False, True
        echo = _ECHO.search(text[max(0, found.start - 2) : found.end + 3])
        if echo:
            return (Polarity.NEGATED if _ECHO_DENIED.match(after) else Polarity.ASKED), False, False
        if self._near.search(before):
            return Polarity.NEGATED, True, False
        if self._double.search(before):
            return Polarity.AFFIRMED, False, False
        if self._rhetorical.search(before):
            return Polarity.NEGATED, False, False
        if found.polarity == Polarity.NEGATED:
            return Polarity.NEGATED, False, False
        negated = bool(self._negated.search(before)) or bool(self._not_so.search(before))
        if not negated and self._fear.search(before):
            return Polarity.UNCERTAIN, False, True
        if not media and (self._is_hypothetical(far_before) or self._hypothetical_after.match(after)):
            if negated:
                return Polarity.NEGATED, False, False
            return Polarity.UNCERTAIN, False, True
        if negated or (span.startswith(("没", "冇", "别", "怕")) and found.event is Event.FALL):
            if span.startswith("怕"):
                return Polarity.UNCERTAIN, False, True
            return Polarity.NEGATED, False, False
        if self._negated_after.match(after):
            return Polarity.NEGATED, False, False
        if previous is not None and previous[1].polarity is Polarity.NEGATED:
            gap = text[previous[0].end : found.start]
            if gap == "" or (len(gap) <= 2 and set(gap) <= set(LIST_MARK + "和跟与或啊")):
                return Polarity.NEGATED, False, False
        if found.polarity:
            return Polarity(found.polarity), False, False
        if self._asked.search(before) or (_SELF_DONE.match(after) and after.startswith(("吗", "没"))):
            return Polarity.ASKED, False, False
        if self._uncertain.search(before):
            return Polarity.UNCERTAIN, False, False
        return Polarity.AFFIRMED, False, False

    def _is_hypothetical(self, far_before: str) -> bool:
        """A conditional word in the same clause, or opening the clause before."""
        for match in self._hypothetical.finditer(far_before):
            rest = far_before[match.end() :]
            if sum(rest.count(b) for b in BREAKS) <= 1 and len(rest) <= WINDOW_CHARS:
                return True
        return False

    def _time(
        self,
        text: str,
        found: Found,
        start: int,
        end: int,
        polarity: Polarity,
        hypothetical: bool,
        media: bool,
    ) -> tuple[Time, bool]:
        if hypothetical:
            return Time.HYPOTHETICAL, False
        if found.time:
            return Time(found.time), found.time == Time.NOW
        clause = text[start:end]
        previous_start = clause_of(text, start - 2)[0] if start >= 2 else start
        earlier = text[previous_start:start]
        later = _following(text, end, 1)
        for place in (clause, earlier, later):
            now = self._now.search(place)
            if now and place is not later:
                habitual = self._habitual.search(place)
                return (Time.HABITUAL, False) if habitual and now.group() == "一直" else (Time.NOW, True)
            if self._past.search(place):
                return Time.PAST, False
            if self._habitual.search(place):
                return Time.HABITUAL, False
            if self._recent.search(place):
                return Time.RECENT, False
        if polarity is Polarity.NEGATED:
            return DENIED_TIME.get(found.event, Time.NOW), False
        if self._resolved.search(clause + later) or media:
            return Time.RECENT, False
        return DEFAULT_TIME.get(found.event, Time.NOW), False

    def _subject(
        self, text: str, found: Found, start: int, previous: tuple[Found, Slots] | None, media: bool
    ) -> Subject:
        if found.subject:
            return Subject(found.subject)
        if media:
            return Subject.OTHER
        if self.mother_speaks(text):
            return Subject.SELF
        span_end = found.end
        if found.event in VICTIM_IS_SELF and "我" in text[start:span_end] + text[span_end : span_end + 2]:
            return Subject.SELF
        here = self._last_person(text[start : found.start], text[start:span_end])
        if here is not None:
            return here
        # No subject in this clause: it is still about whom the clauses before spoke of.
        if previous is not None and previous[1].subject is not Subject.SELF and not previous[1].media:
            return previous[1].subject
        at = start
        for _ in range(2):
            if at < 2:
                break
            earlier_start, earlier_end = clause_of(text, at - 2)
            earlier = text[earlier_start:earlier_end]
            person = self._last_person(earlier, earlier)
            if person is not None:
                if person is Subject.SELF or not _CLOSED.search(earlier):
                    return person
                return Subject.SELF
            at = earlier_start
        return Subject.SELF

    def _last_person(self, before: str, fallback: str) -> Subject | None:
        last: re.Match[str] | None = None
        for match in self._people.finditer(before):
            if match.lastgroup == "self" and last is not None and last.lastgroup != "self":
                # 老伴把我…, 儿子给我…: the object does not take the subject's place
                if re.search(r"(给|把|跟|和|对|叫|让|帮|替|陪|看|管|照顾|喊|打)$", before[: match.start()]):
                    continue
            last = match
        if last is None:
            for match in self._people.finditer(fallback):
                last = match
                break
        if last is None or last.lastgroup is None:
            return None
        return Subject(last.lastgroup)


# The clause before ends its own matter: what follows is about the speaker again.
_CLOSED = re.compile(
    r"外地|上班|打工|不在|来不了|不来|没来|走了|没了|去世|死|忙|电话|回来|送|买|说|放学|上学|做饭|孝顺|给我|看我"
)


def _following(text: str, end: int, clauses: int) -> str:
    at = end
    for _ in range(clauses):
        if at >= len(text):
            break
        nxt = at + 1
        while nxt < len(text) and text[nxt] not in BREAKS:
            nxt += 1
        at = nxt
    return text[end:at]


def slot_reader(lexicon: Lexicon) -> SlotReader:
    slot: Any = "slot_reader"
    if slot not in lexicon.compiled:
        lexicon.compiled[slot] = SlotReader(lexicon)
    made: SlotReader = lexicon.compiled[slot]
    return made
