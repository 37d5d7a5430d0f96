"""Answers about the elder's own state: health, mood, mobility, illness (身体、心情、行动、疾病)."""

from __future__ import annotations

import re

from ivr.understanding.answers_heard import BUT, MORE, OVER, Heard, contrasted, is_old
from ivr.understanding.model import Event, Polarity, Question, Subject, Time

# What follows the contrast is about another person, or too short to be a complaint (就是觉少).
_NOT_A_COMPLAINT = re.compile(
    r"老伴|老头|老婆|儿子|闺女|女儿|孩子|孙|邻居|[他她](?!们)|没|不(疼|痛|晕|碍事|影响)"
)
MIN_COMPLAINT_CHARS = 3
_BACK_THEN = re.compile(
    r"前阵子|前段|前几天|前两天|上个?月|上周|上个?礼拜|去年|前年|那阵|那会|昨|前天|头几天|年初|来着|开春"
)
_FREE_NOW = re.compile(r"(今年|现在|后来|再)(都|也|就)?没|没(再)?犯|不(疼|喘|晕)了")
_STILL = re.compile(r"(还是|还没|又|就是)[^，？]{0,5}(疼|痛|晕|咳|难受|不|没劲|起不|喘)")


def wellbeing(heard: Heard) -> str:
    answer = _state(heard)
    but = contrasted(heard.text)
    if answer in ("good", "same") and but >= 0:
        rest = heard.text[but:]
        fine_after = max(heard.last.get("good", -1), heard.last.get("same", -1)) >= but
        if len(rest) >= MIN_COMPLAINT_CHARS and not fine_after and not _NOT_A_COMPLAINT.search(rest):
            return "worse"
    return answer


def _state(heard: Heard) -> str:
    bad = [
        (f, s)
        for f, s in heard.affirmed()
        if s.subject in (Subject.SELF, Subject.UNKNOWN)
        and f.event not in (Event.FRAUD, Event.FIRE, Event.GAS_LEAK)
    ]
    worse = heard.has("worse") or any(s.time in (Time.NOW, Time.RECENT) for _, s in bad)
    habitual = any(s.time is Time.HABITUAL for _, s in bad)
    if worse or habitual:
        over = [m.start() for m in OVER.finditer(heard.text)]
        lately = bool(bad) and all(s.time is Time.RECENT for _, s in bad)
        told_after = bool(over) and over[-1] > heard.last.get("worse", -1)
        eased = lately or (not bad and (told_after or _BACK_THEN.search(heard.text) is not None))
        if over and eased and not heard.urgent and not _STILL.search(heard.text):
            return "good"
        if heard.urgent:
            return "worse"
        if (is_old(heard.text) or (habitual and not heard.has("worse"))) and not MORE.search(heard.text):
            return "same"
        return "worse"
    if heard.has("same") and (not heard.has("good") or is_old(heard.text)):
        return "same"
    if heard.has("good"):
        return "good"
    if heard.negated() and not heard.concern and heard.question is Question.HEALTH:
        return "good"
    if any(s.time is Time.PAST for _, s in heard.judged) and _FREE_NOW.search(heard.text):
        return "good"
    return "unclear"


def mood(heard: Heard) -> str:
    suicidal = heard.affirmed(Event.SUICIDAL)
    if suicidal:
        return (
            "good"
            if heard.has("good") and not heard.urgent and suicidal[-1][1].time is Time.RECENT
            else "worse"
        )
    if heard.has("worse"):
        over = [m.start() for m in OVER.finditer(heard.text)]
        if over and over[-1] > heard.last["worse"]:
            return "good"
        return "worse"
    if any(f.event is Event.SUICIDAL and s.polarity is Polarity.UNCERTAIN for f, s in heard.judged):
        return "unclear"
    if any(
        (f.event is Event.SUICIDAL and Time.PAST in (s.time,)) or s.polarity is Polarity.NEGATED
        for f, s in heard.judged
    ):
        return "same" if heard.has("same") else "good"
    if heard.urgent:
        return "unclear"
    if heard.has("same") and not heard.has("good"):
        return "same"
    if heard.has("good"):
        return "good"
    return "unclear"


def mobility(heard: Heard) -> str:
    down = heard.affirmed(Event.CANNOT_GET_UP, Event.STROKE_SIGNS, Event.FALL, Event.SEVERE_PAIN)
    mine = [(f, s) for f, s in down if s.subject is not Subject.OTHER and s.subject is not Subject.SPOUSE]
    if any(s.time in (Time.NOW, Time.RECENT) for _, s in mine) or heard.has("worse"):
        if (
            (is_old(heard.text) or heard.has("same"))
            and not heard.urgent
            and not BUT.search(heard.text[: heard.last.get("worse", 0)])
            and not MORE.search(heard.text)
        ):
            return "same"
        if heard.has("good") and heard.last["good"] > heard.last.get("worse", -1) and not heard.urgent:
            over = OVER.search(heard.text)
            if over:
                return "good"
        return "worse"
    if heard.has("same"):
        return "good" if heard.has("good") and not is_old(heard.text) else "same"
    if heard.has("good") or any(f.entry == "up.can" for f, _ in heard.judged):
        return "good"
    return "unclear"


def illness(heard: Heard) -> str:
    true = [(f, s) for f, s in heard.affirmed() if s.subject not in (Subject.OTHER, Subject.SPOUSE)]
    past_only = any(s.time is Time.PAST and s.polarity is Polarity.AFFIRMED for _, s in heard.judged)
    if heard.has("better") and (heard.has("yes") or true or not heard.has("none")) and not heard.urgent:
        return "none" if past_only and not true else "better"
    if heard.has("better") and not heard.has("yes") and not heard.urgent:
        return "better"
    if true:
        return "yes"
    if heard.has("yes"):
        if past_only and heard.has("none"):
            return "none"
        return "yes"
    if heard.has("none") or heard.negated():
        return "none"
    return "none" if past_only else "unclear"
