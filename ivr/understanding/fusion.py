"""Rules and second opinion vote (合议). Pure.

Each class gets its logarithmic probability from the model plus a bonus when the rules chose it;
the highest wins. The bonus was set on sentences that neither the rules nor that fold of the
model had seen (docs/understanding.md). What the vote may not do:

- a plea for help (救命) and an announcement stay what the rules say they are;
- nothing lowers a bare cry (胸口疼, 流血了): the rules know it, and the model knows stories;
- an urgent is lowered only when the model is sure, and to review, never to none: a human looks;
- a clause that cleanly denies a danger can add nothing: the vote is taken with and without such
  clauses and the calmer of the two counts;
- `unclear` becomes safe, good, none, no or enough only when the model is very sure: what was not
  understood is never taken for well.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ivr.understanding import wording
from ivr.understanding.alert import RANK
from ivr.understanding.model import Event, Judgement, Polarity, Question, Subject, Time, Understanding
from ivr.understanding.opinion import NOTHING, Model, Opinion
from xunfang.vocabulary import Alert

ALERT_BONUS = 1.75
ANSWER_BONUS = 2.0
SLOT_BONUS = 2.0
POLARITY_BONUS = 3.0  # the rules read double negation (不是没摔), the model counts words
SURE_BONUS = (
    4.0  # where the rules are not to be turned over lightly: bare phrases, and "well" against a doubt
)
MIN_ANSWER_P = 0.8  # what the rules could not decide, the model must know
BARE_WORD_CHARS = 4  # 没有, 没事没事: to a safety question they are no answer, whatever is likely
BARE_CHARS = 8  # up to here it is a phrase, not a story
URGENT_P = 0.6  # above this the model alone may ring a human
BARE_URGENT_P = 0.8  # of a bare phrase whose event the rules know and did not find urgent (半天没吃饭了)
IMAGINED_URGENT_P = 0.95  # of a fire that the rules read as imagined
SURELY_NOT_URGENT_P = 0.02
MIN_EVENT_P = 0.5  # an event that only the model hears must be likelier than not

# The dialogue obeys these at once; the greeting offers them word for word.
SPOKEN_FOR = frozenset({"not_heard", "repeat_request", "slower_louder", "opt_out", "ask_human", "busy_later"})
SAFETY = frozenset(
    {Question.GAS, Question.WATER_HEATING, Question.ELECTRICITY, Question.FIRE, Question.EVENT}
)
WELL = frozenset({"good", "same", "safe", "none", "no", "enough", "visits", "better"})
WORRYING = frozenset({"worse", "unsafe", "partly", "short", "neglected"})
FOR_A_HUMAN = frozenset((question, "yes") for question in (Question.EVENT, Question.NEEDS, Question.CALLBACK))
UNDECIDED = frozenset({"unclear", "other"})
NOT_WELL = WORRYING | UNDECIDED
_CLAUSE = re.compile(r"[^，？]+")
ENTRY = "opinion"


def fuse(ruled: Understanding, heard: str, calm: str, model: Model) -> Understanding:
    """`heard`: normalised text; `calm`: the same without clauses that cleanly deny a danger."""
    if ruled.plea or ruled.announcement is not None:
        return ruled
    opinion = model.opinion(heard, ruled.question)
    answer = _answer(ruled, opinion, heard)
    alert = _alert(ruled, opinion, heard)
    if calm != heard and RANK[alert] > RANK[ruled.alert]:
        without = _alert(ruled, model.opinion(calm, ruled.question), heard)
        alert = max(ruled.alert, min(alert, without, key=RANK.__getitem__), key=RANK.__getitem__)
    if alert is Alert.NONE and (answer in WORRYING or (ruled.question, answer) in FOR_A_HUMAN):
        alert = Alert.REVIEW
    main = _main(ruled, opinion, alert, bare=len(heard) <= BARE_CHARS)
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


def _alert(ruled: Understanding, opinion: Opinion, heard: str) -> Alert:
    voted = Alert(opinion.vote("alert", ruled.alert, ALERT_BONUS))
    if voted is not Alert.URGENT and opinion.p("alert", Alert.URGENT) > URGENT_P:
        voted = Alert.URGENT  # a visit for nothing costs an hour, a missed cry a life
    if voted is Alert.URGENT and _imagined(ruled) and opinion.p("alert", Alert.URGENT) < IMAGINED_URGENT_P:
        voted = Alert.REVIEW
    bare = len(heard) <= BARE_CHARS
    known = bare and ruled.main is not None and ruled.alert is Alert.REVIEW
    if voted is Alert.URGENT and known and opinion.p("alert", Alert.URGENT) < BARE_URGENT_P:
        return ruled.alert
    if RANK[voted] >= RANK[ruled.alert]:
        return voted
    if bare:
        return ruled.alert
    if ruled.alert is Alert.URGENT:
        return Alert.REVIEW if opinion.p("alert", Alert.URGENT) < SURELY_NOT_URGENT_P else Alert.URGENT
    return voted


def _imagined(ruled: Understanding) -> bool:
    """The rules heard the form of a question about what would be (着火了咋跑); the model counts its words."""
    main = ruled.main
    return main is not None and main.event is Event.FIRE and main.time is Time.HYPOTHETICAL


def _answer(ruled: Understanding, opinion: Opinion, heard: str) -> str:
    if ruled.answer in SPOKEN_FOR:
        return ruled.answer
    voted = opinion.vote("answer", ruled.answer, ANSWER_BONUS)
    if ruled.answer in UNDECIDED:
        if opinion.p("answer", voted) < MIN_ANSWER_P:
            return ruled.answer
        if voted in WELL and len(heard) <= BARE_WORD_CHARS and ruled.question in SAFETY:
            return ruled.answer
    elif len(heard) <= BARE_CHARS:
        return opinion.vote("answer", ruled.answer, SURE_BONUS)
    if voted in WELL and ruled.answer in NOT_WELL:
        return opinion.vote("answer", ruled.answer, SURE_BONUS)
    return voted


def _main(ruled: Understanding, opinion: Opinion, alert: Alert, bare: bool) -> Judgement | None:
    said = ruled.main
    event = opinion.vote("event", NOTHING if said is None else said.event, SLOT_BONUS)
    if event == NOTHING:
        return None if alert is Alert.NONE or said is None else said
    if said is None:
        if opinion.p("event", event) < MIN_EVENT_P:
            return None
        said = Judgement(
            Event(event), Polarity.AFFIRMED, Time.NOW, Subject.SELF, 0, len(ruled.text), ruled.text, ENTRY
        )
        return _slots(said, said.event, opinion, alert, trusted=False)
    return _slots(said, Event(event), opinion, alert, trusted=True, bare=bare)


def _slots(
    said: Judgement, event: Event, opinion: Opinion, alert: Alert, trusted: bool, bare: bool = False
) -> Judgement:
    """`trusted`: the rules read these slots; otherwise only the model speaks. `bare`: a phrase, no story."""

    def vote(field: str, now: str, bonus: float) -> str:
        chosen = opinion.vote(field, now if trusted else None, bonus)
        if chosen != NOTHING:
            return chosen
        return now if trusted else opinion.likeliest(field, without=NOTHING)

    polarity = Polarity(vote("polarity", said.polarity, POLARITY_BONUS))
    if (
        trusted
        and alert is not Alert.NONE
        and (said.polarity, polarity) == (Polarity.AFFIRMED, Polarity.NEGATED)
    ):
        polarity = said.polarity  # an alert rests on something that was said, not on its denial
    # In a bare phrase the rules read the days (仨月前摔过一回), and there is no story to read more from.
    time = Time(vote("time", said.time, SURE_BONUS if bare and trusted else SLOT_BONUS))
    subject = Subject(vote("subject", said.subject, SLOT_BONUS))
    if (event, polarity, time, subject) == (said.event, said.polarity, said.time, said.subject):
        return said
    return replace(said, event=event, polarity=polarity, time=time, subject=subject)


def _most_urgent_clause(ruled: Understanding, heard: str, model: Model) -> str:
    clauses: list[str] = _CLAUSE.findall(heard) or [ruled.text]
    return max(clauses, key=lambda clause: model.opinion(clause, ruled.question).p("alert", "urgent"))
