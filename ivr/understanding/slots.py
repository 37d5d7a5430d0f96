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
TIME_CLAUSE_CHARS = 9  # a clause before the event this short may tell its time (昨天晚上，...)
HYPOTHETICAL_CHARS = 26  # 要是 may stand a clause before the event

# When nothing says otherwise: falls are told afterwards, symptoms are felt now.
DEFAULT_TIME: dict[Event, Time] = {
    Event.FALL: Time.RECENT,
    Event.FRAUD: Time.RECENT,
}
# Told unasked, or with a cry for help, a fall has just happened.
SPONTANEOUS = frozenset({Question.ANY, Question.IDENTITY})
# States that last: 刚才 or 今早 tells when they began, not that they are over.
LASTING = frozenset(Event) - {Event.FALL, Event.FRAUD, Event.VIOLENCE, Event.LOST}
# Events that elders imagine aloud (摔了咋办): 叫不醒咋办 is never imagined.
_IMAGINABLE = frozenset(
    {Event.FALL, Event.FIRE, Event.GAS_LEAK, Event.CANNOT_GET_UP, Event.LOST, Event.STROKE_SIGNS, Event.FRAUD}
)
# 不疼了, 不漏了 say that it was so and is over.
_EASES = frozenset(
    {
        Event.CHEST_PAIN,
        Event.BREATHLESS,
        Event.BLEEDING,
        Event.SEVERE_PAIN,
        Event.GAS_LEAK,
        Event.STROKE_SIGNS,
    }
)
# Of somebody else, told without a time: mostly news, but these mean that somebody lies there.
_LYING_THERE = frozenset({Event.CANNOT_GET_UP, Event.UNCONSCIOUS, Event.BREATHLESS})
# A denied event of these kinds was asked about for the time since the last visit.
DENIED_TIME: dict[Event, Time] = {
    Event.FALL: Time.RECENT,
    Event.VIOLENCE: Time.RECENT,
    Event.LOST: Time.RECENT,
    Event.FRAUD: Time.RECENT,
    Event.UNCONSCIOUS: Time.RECENT,
    Event.POISONING: Time.RECENT,
    Event.FIRE: Time.RECENT,
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
    gap: str = ""
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
    what_then: bool = False  # imagined only by what follows (着了火我往哪儿跑): it may be real


@dataclass(frozen=True, slots=True)
class _Place:
    """An event and the text around it."""

    text: str
    found: Found
    start: int  # of the clause
    end: int
    before: str
    after: str
    far_before: str
    question: Question
    plea: bool


_ECHO = re.compile(
    r"(摔|疼|痛|晕|漏|着|喘|流|闷|麻|吃|骗|打|吐|丢|闻|有|是|起|冒|歪|昏|跌|绊|走丢|摔倒|晕倒|着火|漏气|上当|想死)"
    r"(没|不|冇)(有)?\1"
)
_ECHO_DENIED = re.compile(r"[啊呀呢嘛]?(没|不|冇)|[^，？]{0,6}[，？][^，？]{0,3}?(没|不|冇|哪有|哪能|无)")
_ECHO_AFFIRMED = re.compile(
    r"[啊呀呢嘛了着过]*[，？]?(摔|疼|痛|晕|漏|着|喘|流|有|是|闷|麻|骗|丢)(了|过|得|的|啊|着|呢)"
)
_ECHO_UNSURE = re.compile(r"[^，？]{0,8}(不出|不知道|不准|不清|记不|说不|谁知道|不好说|不晓得)")
_GAP_NEGATED = re.compile(
    r"(没有?|(?<!得)不|冇|哪能|咋能|怎么会|从来没|没得)(再|有|过|怎么|太|咋|大|会|曾|啥|什么|想|是|那么|多)?$"
)
_GAP_NEAR = re.compile(r"差点|差一点|险些|好悬|几乎")
_GAP_FEAR = re.compile(r"怕|要是|万一|担心")
_ONLY_TIME = re.compile(
    r"^(那?(都)?是)?.{0,8}(的事儿?|的时候|时候|那会儿?|那阵|的老黄历|老毛病了?|年了|老病了?)(了|啊)?$"
)
_DENIES_AFTER = re.compile(
    r"？[^，？]{0,5}(没|不|瞎说|胡说|哪|冇|别瞎|扯|乱讲|瞎讲|净瞎|谁敢|谁(打|骗|说)|舍不得|想得开|好着|好得很|挺好|门儿都|还能)"
)
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
        self._correction = re.compile(f"^[^，？]{{0,3}}[，？](?:[哎唉啊嗯呃哦]+，?)?(?:{cue('correction')})")
        self._past = re.compile(cue("past"))
        self._recent = re.compile(cue("recent"))
        self._onset = re.compile(cue("onset"))
        self._now = re.compile(cue("now"))
        self._habitual = re.compile(cue("habitual"))
        self._resolved = re.compile(cue("resolved"))
        self._mild = re.compile(cue("mild"))
        self._strong = re.compile(cue("strong"))
        self._far = re.compile(cue("far"))
        self._relative = re.compile(cue("relative_speaker"))
        self._mother = re.compile(cue("mother_speaks"))
        self._people_elsewhere = re.compile(f"{cue('spouse')}|{cue('other')}")
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
        told = text[clause_start:start]
        urged = _URGED.match(text[start:end]) is not None  # 啥都不要，快叫救护车
        return not (
            (self._negated.search(before) and not urged)
            or (self._fear.search(before) and not urged)
            or _DECLINED.search(before)
            or _ON_SCREEN.search(text[:start])
            or (_FETCHED.match(text[end:]) and self._recent.search(told))
            or self._rhetorical.search(before)
            or self._media.search(far_before)
            or self._is_hypothetical(far_before)
            or _IF_THEN.search(text[:start])
            or self._warning.search(text[: end + 8])
        )

    def corrected(self, text: str, found: Found) -> bool:
        return bool(self._correction.match(text[found.end : found.end + 14]))

    def read(
        self, text: str, found: Found, question: Question, previous: tuple[Found, Slots] | None, plea: bool
    ) -> Slots:
        start, end = clause_of(text, found.start)
        end = max(end, found.end)
        before = text[max(start, found.start - WINDOW_CHARS) : found.start]
        far_before = text[max(0, found.start - HYPOTHETICAL_CHARS) : found.start]
        media = self._media.search(far_before) is not None
        warning = not media and self._warning.search(text[: found.end + 8]) is not None
        here = _Place(text, found, start, end, before, text[found.end :], far_before, question, plea)
        # A softener or a recovery counts in this clause and the two that follow it.
        whole = text[start:end]
        tail = _following(text, end, 2)
        resolved = self._is_over(found.event, whole + tail) or (
            found.event in _LEAVES_MARKS and _AFTERMATH.search(text[: found.end]) is not None
        )
        softened = self._mild.sub("", whole + tail)
        mild = softened != whole + tail
        subject = self._subject(text, found, start, previous, media)
        polarity, near, hypothetical = self._polarity(here, previous, media, warning)
        told_of_others = subject is Subject.OTHER and not self.relative_speaks(text)
        if hypothetical == "bare":  # 着火……: nobody knows whose or where
            hypothetical, subject = "", Subject.UNKNOWN
        if hypothetical == "eased":  # 不疼了: it did hurt
            hypothetical, resolved = "", True
        time = self._time(here, polarity, hypothetical, media or told_of_others, resolved, mild)
        return Slots(
            polarity=polarity,
            time=time,
            subject=subject,
            near_miss=near,
            media=media,
            warning=warning,
            resolved=resolved,
            mild=mild,
            strong=self._strong.search(softened) is not None,
            far=bool(self._far.search(whole) or self._far.search(text[max(0, start - 8) : start])),
            what_then=hypothetical == "after",
        )

    def _is_over(self, event: Event, context: str) -> bool:
        """Over or taken care of, by words that can end this kind of event (火灭了 ends no gas leak)."""
        if event is Event.SUICIDAL:
            return _CHEERED.search(context) is not None
        if event not in _GETS_UP:
            context = _UP_AGAIN.sub("", context)
        if event is Event.GAS_LEAK:
            context = _FLAME_OUT.sub("", context)
        return self._resolved.search(context) is not None

    def _polarity(
        self, here: _Place, previous: tuple[Found, Slots] | None, media: bool, warning: bool
    ) -> tuple[Polarity, bool, str]:
        """Polarity, near miss, and what makes it imagined ("" when it is not)."""
        text, found, before, after, gap = here.text, here.found, here.before, here.after, here.found.gap
        if warning:
            return Polarity.UNCERTAIN, False, "warning"
        echo = _ECHO.search(text[: found.end + 5], max(0, found.start - 4))
        if echo and (echo.start() >= found.end or (echo.start() and text[echo.start() - 1] in "没不冇")):
            echo = None
        if echo:
            said = text[echo.end() :]
            if _ECHO_UNSURE.match(said) or _NOT_KNOWN.search(text[: echo.start()]):
                return Polarity.UNCERTAIN, False, ""
            if _ECHO_AFFIRMED.match(said):
                return Polarity.AFFIRMED, False, ""
            return (Polarity.NEGATED if _ECHO_DENIED.match(said) else Polarity.ASKED), False, ""
        if (
            _BARE_WORD.fullmatch(text[found.start : found.end])
            and _BARE_BEFORE.fullmatch(text[: found.start])
            and _BARE_AFTER.fullmatch(after)
        ):
            return Polarity.UNCERTAIN, False, "bare"
        if _DENIES_AFTER.match(after):  # the elder repeats the question and denies it
            return Polarity.NEGATED, False, ""
        if self._near.search(before) or _GAP_NEAR.search(gap):
            return Polarity.NEGATED, True, ""
        if self._double.search(before) or (gap and self._double.search(gap)):
            return Polarity.AFFIRMED, False, ""
        if self._rhetorical.search(before):
            return Polarity.NEGATED, False, ""
        if found.polarity == Polarity.NEGATED:
            return Polarity.NEGATED, False, ""
        negated = bool(
            self._negated.search(before) or self._not_so.search(before) or _GAP_NEGATED.search(gap)
        )
        if not negated and (self._fear.search(before) or _GAP_FEAR.search(gap)):
            return Polarity.UNCERTAIN, False, "fear"
        if not media:
            conditional = self._is_hypothetical(here.far_before) and not (
                found.event is Event.SUICIDAL and _THIS_HOUR.search(text[here.start : found.end])
            )
            what_then = (
                not conditional
                and found.event in _IMAGINABLE
                and self._hypothetical_after.match(after) is not None
                and not _SEEN.search(text[here.start : found.end])
                and not _TOLD_AS_DONE.match(after)
                and not self._onset.search(before)
                and not self._now.search(before)
                and not self._people_elsewhere.search(before)
            )
            if conditional or what_then:
                if negated:
                    return Polarity.NEGATED, False, ""
                return Polarity.UNCERTAIN, False, "after" if what_then else "if"
        if negated and found.event in _EASES and after.startswith("了") and (before + gap).endswith("不"):
            return Polarity.AFFIRMED, False, "eased"
        if negated or self._negated_after.match(after):
            return Polarity.NEGATED, False, ""
        if previous is not None and previous[1].polarity is Polarity.NEGATED:
            between = text[previous[0].end : found.start]
            if between == "" or (len(between) <= 2 and set(between) <= set(LIST_MARK + "和跟与或啊")):
                return Polarity.NEGATED, False, ""
        if found.polarity:
            return Polarity(found.polarity), False, ""
        if self._asked.search(before) or (_SELF_DONE.match(after) and after.startswith(("吗", "没"))):
            return Polarity.ASKED, False, ""
        if self._uncertain.search(before):
            return Polarity.UNCERTAIN, False, ""
        return Polarity.AFFIRMED, False, ""

    def _is_hypothetical(self, far_before: str) -> bool:
        """A conditional word in the same clause, or opening the clause before."""
        for match in self._hypothetical.finditer(far_before):
            rest = far_before[match.end() :]
            if sum(rest.count(b) for b in BREAKS) <= 1 and len(rest) <= WINDOW_CHARS:
                return True
        return False

    def _time(
        self,
        here: _Place,
        polarity: Polarity,
        hypothetical: str,
        told_of_others: bool,
        resolved: bool,
        mild: bool,
    ) -> Time:
        if hypothetical:
            return Time.HYPOTHETICAL
        found = here.found
        clause = here.text[here.start : here.end]
        told = self._time_words(clause, found, resolved)
        if found.time:
            on_another_day = told is Time.RECENT and self._recent.search(here.text[: here.end]) is not None
            told_otherwise = (
                told is Time.PAST or (on_another_day and (resolved or found.event is not Event.UNCONSCIOUS))
            ) or (told is Time.HABITUAL and found.event is Event.VIOLENCE)
            return told if told is not None and told_otherwise else Time(found.time)
        if told is None and here.start >= 2:
            earlier_start, earlier_end = clause_of(here.text, here.start - 2)
            if earlier_end - earlier_start <= TIME_CLAUSE_CHARS:
                told = self._time_words(here.text[earlier_start:earlier_end], found, resolved)
            if told is None and (resolved or found.event in _HAPPENS):
                told = self._time_of_story(here.text[:earlier_start])
        if told is None:
            later = _following(here.text, here.end, 1)[1:]
            if _ONLY_TIME.search(later):
                told = self._time_words(later, found, resolved)
        if told is Time.RECENT and self._just_now(here, found, resolved):
            return Time.NOW
        if polarity is Polarity.NEGATED and told in (None, Time.NOW, Time.HABITUAL):
            if found.event is Event.GAS_LEAK and here.question is Question.EVENT:
                return Time.RECENT
            return DENIED_TIME.get(found.event, Time.NOW)
        if told is not None:
            return told
        if found.event in LASTING and here.after.startswith("呢"):  # 冒烟呢: going on
            return Time.NOW
        if told_of_others and found.event in (Event.FIRE, Event.GAS_LEAK) and _NEXT_DOOR.search(clause):
            return Time.NOW
        if resolved or (told_of_others and found.event not in _LYING_THERE):
            return Time.RECENT
        if found.event is Event.FALL and (
            found.level == "urgent" or ((here.plea or here.question in SPONTANEOUS) and not mild)
        ):
            return Time.NOW
        return DEFAULT_TIME.get(found.event, Time.NOW)

    def _time_of_story(self, earlier: str) -> Time | None:
        """The time that opened the story (上礼拜忘了关火，锅烧干了，冒了一屋子烟)."""
        if self._now.search(earlier) or self._onset.search(earlier):
            return None
        if self._past.search(earlier):
            return Time.PAST
        return Time.RECENT if self._recent.search(earlier) else None

    def _just_now(self, here: _Place, found: Found, resolved: bool) -> bool:
        """刚摔的，快来人: a fall a moment ago, with a cry for help or a grave sign, is now."""
        if found.event not in _JUST or resolved or not (here.plea or found.level == "urgent"):
            return False
        clause = here.text[max(0, here.start - TIME_CLAUSE_CHARS) : here.end]
        return _A_MOMENT_AGO.search(clause) is not None and not self._recent.search(clause)

    def _time_words(self, clause: str, found: Found, resolved: bool) -> Time | None:
        lasting = found.event in LASTING
        if self._past.search(clause):
            return None if self._now.search(clause) and lasting else Time.PAST
        now = self._now.search(clause) is not None
        if self._recent.search(clause):
            still_then = "还" in clause and "现在" not in clause  # 前天还起不来
            if lasting and not resolved and not still_then and (now or found.event in _GOES_ON):
                return Time.NOW
            return Time.RECENT
        if self._habitual.search(clause) and not _THIS_TIME.search(clause):  # 天天想死 is the more urgent
            often = found.event is Event.SUICIDAL and not _NOW_AND_THEN.search(clause)
            return Time.NOW if often else Time.HABITUAL
        if now:
            return Time.NOW
        if self._onset.search(clause):
            return Time.NOW if lasting and not resolved else Time.RECENT
        return None

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
        if found.event in VICTIM_IS_SELF:
            struck = _STRUCK.search(text[found.start : found.end + 5])
            if struck is not None:
                return self._last_person(struck.group(1), "") or Subject.OTHER
            if found.event is Event.VIOLENCE and _SCUFFLE.search(text[start:span_end]):
                return Subject.OTHER
            victim = _VICTIM.search(text[start : found.start + 2])
            if victim is None or "我" in text[start : span_end + 2]:
                relative = self.relative_speaks(text) and "我" not in text[found.start : span_end + 2]
                return Subject.OTHER if relative else Subject.SELF
            return self._last_person(victim.group(1), "") or Subject.SELF
        if found.event in _LYING and _CARES.search(text[max(start, found.start - 4) : span_end]):
            cared_for = self._named_beside_self(text[:span_end])
            if cared_for is not None:
                return cared_for
        here = self._last_person(text[start : found.start], text[start:span_end], text[:start])
        if here is Subject.OTHER and _IS_HIS_SPOUSE.search(text):
            return Subject.SPOUSE
        if here is Subject.SPOUSE and self.relative_speaks(text) and _OLD_ONE.search(text[start:span_end]):
            return Subject.OTHER
        if here is not None:
            return here
        named = _NAMED_AFTER.match(text[found.end :])  # 嘴唇都紫了，我老伴
        if named is not None:
            person = self._last_person(named.group(1), "")
            if person is not None:
                return person
        # No subject in this clause: it is still about whom the clauses before spoke of.
        if previous is not None and previous[1].subject is not Subject.SELF and not previous[1].media:
            return previous[1].subject
        relative = self.relative_speaks(text)
        at = start
        for _ in range(2):
            if at < 2:
                break
            earlier_start, earlier_end = clause_of(text, at - 2)
            earlier = text[earlier_start:earlier_end]
            person = self._last_person(earlier, earlier)
            if person is not None:
                if person is Subject.SELF and relative:
                    break
                if person is Subject.SELF or not _CLOSED.search(earlier):
                    return person
                break
            at = earlier_start
        return Subject.OTHER if relative else Subject.SELF

    def _named_beside_self(self, text: str) -> Subject | None:
        """Who lies there when the speaker pulls or calls (老伴摔了，我拉不动她)."""
        others = [m for m in self._people.finditer(text) if m.lastgroup != "self"]
        named = [m for m in others if m.group() not in _PRONOUNS] or others
        if not named:
            return None
        last = named[-1]
        if last.lastgroup == "spouse" and not (last.group() in _OLD_PERSON and self.relative_speaks(text)):
            return Subject.SPOUSE
        return Subject.OTHER

    def _last_person(self, before: str, fallback: str, earlier: str = "") -> Subject | None:
        last: re.Match[str] | None = None
        for match in self._people.finditer(before):
            if match.lastgroup == "other" and _DOER.search(before[: match.start()]):
                continue  # 叫狗咬了: the dog is not the one who bleeds
            if match.lastgroup == "other" and _GIVER.match(before[match.end() :]):
                continue  # 吃了亲戚给的蘑菇
            as_object = match.lastgroup == "self" and last is not None and last.lastgroup != "self"
            # 老伴把我…, 儿子给我…: the object does not take the subject's place
            if as_object and _OBJECT_MARK.search(before[: match.start()]):
                continue
            if match.lastgroup != "self" and _GONE.match(before[match.end() :]):
                continue  # 老伴走了以后我...
            last = match
        if last is None:
            for match in self._people.finditer(fallback):
                if match.lastgroup == "other" and (
                    _DOER.search(fallback[: match.start()]) or _GIVER.match(fallback[match.end() :])
                ):
                    continue
                last = match
                break
        if last is None or last.lastgroup is None:
            return None
        if last.lastgroup == "other" and last.group() in _PRONOUNS and earlier:
            named = [m for m in self._people.finditer(earlier) if m.group() not in _PRONOUNS]
            others = [m for m in named if m.lastgroup != "self"]
            if others and others[-1].lastgroup == "spouse":
                return Subject.SPOUSE
        if last.lastgroup == "spouse" and last.group() in _OLD_PERSON and self.relative_speaks(before):
            return Subject.OTHER
        return Subject(last.lastgroup)


# One word of danger and nothing beside it but hesitation.
_BARE_WORD = re.compile(
    r"摔了?|着火|起火|火|起不来|晕倒?了?|晕倒，晕倒了|流血|血|喘|煤气味?|漏气|死了?算了|死|胸口|心口|摔，摔了|骗子|摔，摔|死，死了算了"
)
_BARE_BEFORE = re.compile(
    r"(嗯|啊|哎|唉|哎呀|哎哟|哎呦|呃|那个|那|我|，|？|摔|火|死|喘|血|晕倒?|流血|起|心|着|骗字|有个)*"
)
_BARE_AFTER = re.compile(
    r"(嗯|啊|哎|唉|哎呀|哎哟|呃|那个|，|？|摔了?|火|喘|血|流血|晕倒了?|着火|起不来|死了?算了)*"
)
_LYING = frozenset({Event.CANNOT_GET_UP, Event.UNCONSCIOUS})
_CARES = re.compile(r"(扶|拉|拽|抬|拖|抱|搬|背|架|喊|叫|摇|推|拍|掐|扒拉|晃)[^，？我]{0,6}(不|没)(?!我)")
_PRONOUNS = frozenset({"他", "她", "他们", "她们"})
_GIVER = re.compile(r"们?(刚|昨天|前天)?(给|买|送|带|拿|做|炖|寄|捎)(的|我|来的|来|了)")
_DOER = re.compile(r"(被|让|叫|挨|遭)$")
_OLD_ONE = re.compile(r"老太太|老头子?|老爷子|老婆婆")
_NAMED_AFTER = re.compile(r"[了啦呢]?，(我?(?:老伴|老头子?|老太婆|老婆子?|爱人|妈|爸|奶奶|爷爷))(?=$|[，？])")
# Whom the blows strike: 打我老伴, 追他妈.
_STRUCK = re.compile(
    r"[打踹揍砍捅掐追推踢抽骂砸往]着?(我老伴|我妈|我爸|我孙[子女]|老伴|他妈|她妈|他爸|他媳妇|他老婆|老太太|她|女的)"
)
_SCUFFLE = re.compile(
    r"(孙[子女]|孩子|小孩|小朋友|两口子|俩人|邻居|隔壁|楼上|楼下|对门|对面)[^，？我]{0,10}(打架|打起来|动手|打仗|打得|干架|吵架|撕巴)"
)
_OLD_PERSON = frozenset({"老太太", "老头", "老头子"})  # a relative says it of the elder
# Who is beaten or robbed: 老伴被人打了. Whoever else is named is the doer.
_VICTIM = re.compile(r"([^，？]{1,8}?)(?:也|又|都|前几天|昨天|刚才|差点)?(?:被|让|叫|挨|遭)")
_CHEERED = re.compile(r"好多了|好些了|想开了|想通了|不想了|没事了|过去了|缓过来|劝住|劝开|现在不")
_FLAME_OUT = re.compile(r"(浇|扑|吹|弄|淹)?灭(了|掉)")
# What began yesterday and is not said to be over goes on.
_GOES_ON = frozenset({Event.CANNOT_GET_UP, Event.NO_FOOD})
_SEEN = re.compile(r"闻(到|着|见)|看见|看到|听见|已经|真的?(?=[^，？]{0,2}$)")
_TOLD_AS_DONE = re.compile(r"了?[，？]")  # 着火了，咋办: a pause after the fact makes it a fact
_GONE = re.compile(
    r"(刚|早|都|早就|已经|才)?(走了?|没了|去世|过世|不在了|死了?)(了|以后|那|后|之后|多年|[，？]|好)"
)
# Things that happen at one time; what was told of last week goes on in the next clause.
_HAPPENS = frozenset({Event.FIRE, Event.FALL, Event.FRAUD, Event.VIOLENCE, Event.LOST, Event.POISONING})
_JUST = frozenset({Event.FALL, Event.VIOLENCE})
_A_MOMENT_AGO = re.compile(r"刚|将才|这会儿|方才|现在|才摔|才跌")
_LEAVES_MARKS = frozenset({Event.STROKE_SIGNS, Event.SEVERE_PAIN, Event.CANNOT_GET_UP})
_AFTERMATH = re.compile(r"刚?出(了)?院|后遗症|落下的?|恢复期|康复|做完手术|开完刀|手术后")
_URGED = re.compile(r"快|赶紧|赶快|马上|麻溜")
_DECLINED = re.compile(r"(不用|不需要|用不着|不必|甭|没必要)[^，？]{0,2}$")
_ON_SCREEN = re.compile(r"看(电视|戏|剧|电影)[^？]{0,10}$|里头(喊|叫)$")
_FETCHED = re.compile(r"(来)?(拉|接|送|抬)(走|到|去)")
_THIS_HOUR = re.compile(r"今天|今晚|今夜|今儿|这就|现在|马上")
_THIS_TIME = re.compile(r"这回|这次|今天|现在|这会儿")
_NOW_AND_THEN = re.compile(r"有时|偶尔|时不时|隔三差五|断断续续|好几年|好多年|一阵")
_NOT_KNOWN = re.compile(r"(不知道|不晓得|搞不清|说不准|不清楚|不敢说)$")
_IF_THEN = re.compile(r"(要是|如果|万一|假如)[^？]{0,16}就[^？]{0,16}$")
_GETS_UP = frozenset({Event.FALL, Event.CANNOT_GET_UP, Event.UNCONSCIOUS})
_UP_AGAIN = re.compile(r"(爬|站|坐|撑|扶)(了)?起来")
_OBJECT_MARK = re.compile(r"(给|把|跟|和|对|叫|让|帮|替|陪|看|管|照顾|喊|打)$")
_NEXT_DOOR = re.compile(r"楼上|楼下|隔壁|对门|邻居家|往我|我屋")
_IS_HIS_SPOUSE = re.compile(
    r"我就?是?(他|她)(的)?(老伴|爱人|老公|老婆|媳妇|男人|老头|对象|屋里人|屋里的|那口子|家里的|当家的)"
    r"|我就?是(老伴|爱人|屋里人|家里那口子)"
)
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
