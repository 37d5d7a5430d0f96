"""Rules and second opinion are put together (合议). Pure.

The second opinion has been told what the rules read (`opinion_features.facts`) and has learned from authors
whom no rule knew how far each rule is to be trusted, so it has the word. What it may not do:

- an announcement stays what the rules say it is;
- nothing lowers a bare cry (胸口疼, 流血了, 救命): the rules know it, and the model knows stories;
- a plea for help, or an urgent of the rules, is lowered only when the model is sure, and to review: a human
  looks (an urgent that is no plea to none only above SURELY_NONE_P);
- a clause that cleanly denies a danger can add nothing: the opinion is asked with and without such
  clauses and the calmer of the two counts;
- what was not understood, or sounded worrying, becomes "well" only when the model is sure, and a bare 没事 to
  a question of safety is no answer at all;
- what the greeting offers word for word is obeyed.

The limits were set by leaving authors out (docs/adr/0004).
"""

from __future__ import annotations

import re
from dataclasses import replace

from ivr.understanding import wording
from ivr.understanding.alert import RANK
from ivr.understanding.model import Event, Judgement, Polarity, Question, Subject, Time, Understanding
from ivr.understanding.opinion import NOTHING, Model, Opinion
from ivr.understanding.opinion_features import facts
from xunfang.vocabulary import Alert

URGENT_P = 0.3  # above this a human is rung: a visit for nothing costs an hour, a missed cry a life
PLEA_P = 0.1  # a plea in a story is urgent above this (那声救命是电视里的)
SURELY_NONE_P = 0.8  # an urgent of the rules is nothing at all only above this
NO_WORRY_P = 0.6  # a worrying answer is not looked at by a human only above this
SURELY_WELL_P = 0.7  # what the rules read as worrying or not at all is "well" only from here on
BARE_WELL_P = 0.95  # and in a bare phrase (不太好) from here on
BARE_CHARS = 8  # up to here it is a phrase, not a story
BARE_WORD_CHARS = 4  # 没有, 没事没事: to a safety question they are no answer, whatever is likely
MIN_EVENT_P = 0.3  # an event that only the model hears must be this likely

# The dialogue obeys these at once; the greeting offers them word for word.
SPOKEN_FOR = frozenset({"not_heard", "repeat_request", "slower_louder", "opt_out", "ask_human", "busy_later"})
SAFETY = frozenset(
    {Question.GAS, Question.WATER_HEATING, Question.ELECTRICITY, Question.FIRE, Question.EVENT}
)
WELL = frozenset({"good", "same", "safe", "none", "no", "enough", "visits", "better"})
WORRYING = frozenset({"worse", "unsafe", "partly", "short", "neglected"})
FOR_A_HUMAN = frozenset((question, "yes") for question in (Question.EVENT, Question.NEEDS, Question.CALLBACK))
NOT_WELL = WORRYING | {"unclear", "other"}
_CLAUSE = re.compile(r"[^，？]+")
ENTRY = "opinion"


def fuse(ruled: Understanding, heard: str, calm: str, model: Model) -> Understanding:
    """`heard`: normalised text; `calm`: the same without clauses that cleanly deny a danger."""
    if ruled.announcement is not None:
        return ruled
    opinion = model.opinion(heard, ruled.question, facts(ruled))
    answer = _answer(ruled, opinion, heard)
    alert = _alert(ruled, opinion, heard)
    if calm != heard and RANK[alert] > RANK[ruled.alert]:
        calmer = model.opinion(calm, ruled.question, facts(ruled, without_denials=True))
        alert = max(ruled.alert, min(alert, _alert(ruled, calmer, heard), key=_rank), key=_rank)
    worrying = answer in WORRYING or (ruled.question, answer) in FOR_A_HUMAN
    if alert is Alert.NONE and worrying and opinion.p("alert", Alert.NONE) < NO_WORRY_P:
        alert = Alert.REVIEW
    main = _main(ruled, opinion, alert)
    if alert is ruled.alert and answer == ruled.answer and main is ruled.main:
        return ruled
    reasons, evidence = ruled.reasons, ruled.evidence
    if alert is not ruled.alert:
        reasons = (*reasons, wording.vote(ENTRY, alert, opinion.p("alert", alert)))
    if alert is Alert.URGENT and not evidence:
        evidence = (_most_urgent_clause(ruled, heard, model),)
    judgements = ruled.judgements
    if main is not None and main is not ruled.main:
        judgements = (*(each for each in judgements if each is not ruled.main), main)
    return replace(
        ruled,
        alert=alert,
        answer=answer,
        main=main,
        judgements=judgements,
        details=ruled.details if answer == ruled.answer else (),
        reasons=reasons,
        evidence=evidence,
    )


def _rank(alert: Alert) -> int:
    return RANK[alert]


def _alert(ruled: Understanding, opinion: Opinion, heard: str) -> Alert:
    urgent_p = opinion.p("alert", Alert.URGENT)
    if urgent_p > (PLEA_P if ruled.plea else URGENT_P):
        return Alert.URGENT
    calmer = Alert(opinion.likeliest("alert", without=Alert.URGENT))
    if len(heard) <= BARE_CHARS:
        return max(ruled.alert, calmer, key=_rank)
    if calmer is Alert.NONE and ruled.alert is Alert.URGENT:
        return calmer if not ruled.plea and opinion.p("alert", Alert.NONE) > SURELY_NONE_P else Alert.REVIEW
    return calmer


def _answer(ruled: Understanding, opinion: Opinion, heard: str) -> str:
    if ruled.answer in SPOKEN_FOR:
        return ruled.answer
    voted = opinion.likeliest("answer")
    if voted in WELL and ruled.answer in NOT_WELL:
        if len(heard) <= BARE_WORD_CHARS and ruled.question in SAFETY:
            return ruled.answer
        needed = SURELY_WELL_P if len(heard) > BARE_CHARS else BARE_WELL_P
        return voted if opinion.p("answer", voted) >= needed else ruled.answer
    return voted


def _main(ruled: Understanding, opinion: Opinion, alert: Alert) -> Judgement | None:
    said = ruled.main
    event = opinion.likeliest("event")
    if event == NOTHING:
        return None if alert is Alert.NONE else said
    if said is None:
        if opinion.p("event", event) < MIN_EVENT_P:
            return None
        said = Judgement(
            Event(event), Polarity.AFFIRMED, Time.NOW, Subject.SELF, 0, len(ruled.text), ruled.text, ENTRY
        )
    return _slots(said, Event(event), opinion, alert)


def _slots(said: Judgement, event: Event, opinion: Opinion, alert: Alert) -> Judgement:
    polarity = Polarity(opinion.likeliest("polarity", without=NOTHING))
    if alert is not Alert.NONE and (said.polarity, polarity) == (Polarity.AFFIRMED, Polarity.NEGATED):
        polarity = said.polarity  # an alert rests on something that was said, not on its denial
    time = Time(opinion.likeliest("time", without=NOTHING))
    subject = Subject(opinion.likeliest("subject", without=NOTHING))
    if (event, polarity, time, subject) == (said.event, said.polarity, said.time, said.subject):
        return said
    return replace(said, event=event, polarity=polarity, time=time, subject=subject)


def _most_urgent_clause(ruled: Understanding, heard: str, model: Model) -> str:
    clauses: list[str] = _CLAUSE.findall(heard) or [ruled.text]
    return max(clauses, key=lambda clause: model.opinion(clause, ruled.question).p("alert", "urgent"))
