"""What supervisors say of a call after listening (复核): was the alert one, and what was answered.

Nothing of the machine's is changed: verdicts and corrected answers stand beside it, append-only,
and the last one of a turn or a question counts. A confirmed (or missed) alert makes sure that
somebody goes: a case is opened, or merged into the elder's open one. A false alarm closes
nothing: it is shown in the case's history, and a human closes the case with a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ivr.understanding.model import ANSWERS, Question
from records.model import NEEDS_ZH, AlertFact
from storage.model import Answer, Call, Case, Correction, Turn, Verdict
from visits import reviewing
from visits.deadlines import Deadlines
from visits.life import Actor, Role
from visits.model import ElderFacts, Outcome
from visits.rules import case_for
from visits.service import elder_facts, open_case
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import Alert, CaseStatus, ReviewVerdict, Speaker, zh

if TYPE_CHECKING:
    from storage import Work

VERDICT_GIVEN = "alert.verdict"  # audit kinds
ANSWER_CORRECTED = "answer.corrected"
REASON_CHARS = 500
DETAIL_CHARS = 64
MOST_DETAILS = 20
CONFIRMED_BY_EAR = "confirmed by ear"  # reason in the evidence; visits.evidence has the Chinese
CASES_LOOKED_AT = 50  # of one elder, newest first

_OPENING = frozenset({ReviewVerdict.CONFIRMED, ReviewVerdict.MISSED})


@dataclass(frozen=True, slots=True)
class Reviewed:
    """`verdict` as it counts now. `case`: the case this alert belongs to, None when there is none.

    `opened`: whether this verdict opened the case or added to it. `again`: the same was said
    before, word for word, by the same person; nothing was written.
    """

    verdict: Verdict
    case: Case | None
    opened: bool = False
    again: bool = False


def give_verdict(
    work: Work,
    call_id: int,
    turn_seq: int,
    verdict: ReviewVerdict,
    reason: str,
    actor: Actor,
    now: datetime,
    rules: Deadlines,
    *,
    urgent: bool = False,
) -> Reviewed:
    """Say of one turn whether its alert was one. It may be said anew; the last word counts.

    `urgent`: whoever listened hears danger to life now, whatever the machine made of it; the case
    becomes 紧急求助. Raises NotFound (no such call or turn) or BadInput (no alert to judge, no
    reason for a false alarm, not a supervisor); then nothing is written.
    """
    _require_supervisor(actor)
    reason = _checked(reason, "复核理由")
    call, turn = _call(work, call_id), _turn(work, call_id, turn_seq)
    _require_fitting(turn, verdict)
    if verdict is ReviewVerdict.FALSE_ALARM and not reason:
        raise BadInput("判为误报必须说明原因，例如：电视里的声音、说的是邻居、识别错了")
    last = work.verdicts.last_of_turn(call_id, turn_seq)
    if last is not None and (last.verdict, last.reason, last.by) == (verdict, reason, str(actor)):
        return Reviewed(last, _case_of(work, call, turn), again=True)
    given = work.verdicts.add(
        call_id=call_id,
        turn_seq=turn_seq,
        alert=turn.alert,
        verdict=verdict,
        reason=reason,
        by=str(actor),
        at=now,
        entries=_entries(turn),
        text=turn.text,
    )
    case, opened = _case_of(work, call, turn), False
    if verdict in _OPENING and (urgent or not _seen_to(case, last)):
        before = work.cases.open_for(call.elder_id)
        case = _open(work, call, turn, case, now, rules, urgent=urgent)
        opened = case != before
    _audit(work, given, None if last is None else last.verdict, case)
    reviewing.judged(work, call_id, str(actor), now)
    return Reviewed(given, case, opened)


def correct_answer(
    work: Work,
    call_id: int,
    question: str,
    answer: str,
    details: Sequence[str],
    why: str,
    actor: Actor,
    now: datetime,
) -> Correction:
    """Keep what was answered, as a person heard it, beside the machine's answer.

    `question` is the dialplan's id. Raises NotFound (no such call, a question that was not asked)
    or BadInput (an answer that the question does not know, no reason, not a supervisor).
    """
    _require_supervisor(actor)
    why = _checked(why, "更正理由")
    _call(work, call_id)
    topic, machine = _asked(work, call_id, question)
    possible = ANSWERS[topic]
    if answer not in possible:
        raise BadInput(f"“{question}”不能答“{answer}”；可以是：{'、'.join(sorted(possible))}")
    if not why:
        raise BadInput("更正回答必须说明原因，例如：录音里说的是“不太好”，系统没听清")
    named = _details(topic, details)
    last = work.corrections.last_of_call(call_id).get(question)
    if last is not None and (last.answer, last.details, last.why, last.by) == (
        answer, named, why, str(actor),
    ):  # fmt: skip
        return last
    corrected = work.corrections.add(
        call_id=call_id,
        question=question,
        topic=topic.value,
        answer=answer,
        details=named,
        why=why,
        by=str(actor),
        at=now,
    )
    detail = {
        "correction_id": corrected.id,
        "question": question,
        "machine": None if machine is None else machine.answer,
        "from": None if last is None else last.answer,
        "to": answer,
    }
    work.audit.write(now, str(actor), ANSWER_CORRECTED, _subject(call_id), detail)
    return corrected


def transcript(work: Work, call_id: int) -> dict[str, Any]:
    """The turns with alert and verdict, the answers with their corrections; plain values."""
    call = _call(work, call_id)
    verdicts = {each.turn_seq: each for each in work.verdicts.of_call(call_id)}
    corrections = work.corrections.last_of_call(call_id)
    answers = {each.question: each for each in work.answers.of(call_id)}
    return {
        "call_id": call.id,
        "elder_id": call.elder_id,
        "alert": call.alert.value,
        "turns": [_told(each, verdicts.get(each.seq)) for each in work.turns.of(call_id)],
        "answers": [
            {
                "question": question,
                "answer": None if question not in answers else answers[question].answer,
                "corrected": None if question not in corrections else corrections[question].answer,
                "why": "" if question not in corrections else corrections[question].why,
            }
            for question in dict.fromkeys((*answers, *corrections))
        ],
    }


# ---- what may be said --------------------------------------------------------------------------


def _require_supervisor(actor: Actor) -> None:
    if actor.role is not Role.SUPERVISOR:
        raise BadInput("复核由督导进行：请写督导的名字，而不是巡访员编号")


def _checked(text: str, what: str) -> str:
    text = text.strip()
    if len(text) > REASON_CHARS:
        raise BadInput(f"{what}最多{REASON_CHARS}字")
    return text


def _call(work: Work, call_id: int) -> Call:
    call = work.calls.get(call_id)
    if call is None:
        raise NotFound(f"没有通话{call_id}：案件的依据里写有通话编号（xunfang cases show）")
    return call


def _turn(work: Work, call_id: int, turn_seq: int) -> Turn:
    turns = work.turns.of(call_id)
    found = next((each for each in turns if each.seq == turn_seq), None)
    if found is None:
        alerted = "、".join(str(each.seq) for each in turns if each.alert is not Alert.NONE)
        raise NotFound(f"通话{call_id}没有第{turn_seq}句；有报警的句子：{alerted or '无'}")
    return found


def _require_fitting(turn: Turn, verdict: ReviewVerdict) -> None:
    where = f"通话{turn.call_id}第{turn.seq}句"
    if turn.speaker is Speaker.SYSTEM:
        raise BadInput(f"{where}是系统自己说的，不用复核")
    if turn.alert is Alert.NONE and verdict is not ReviewVerdict.MISSED:
        raise BadInput(f"{where}没有报警，不能判为{zh(verdict)}；应当报警而没有报的，请判为漏报（missed）")
    if turn.alert is not Alert.NONE and verdict is ReviewVerdict.MISSED:
        raise BadInput(f"{where}已有报警，不是漏报；请判为属实（confirmed）或误报（false_alarm）")


def _asked(work: Work, call_id: int, question: str) -> tuple[Question, Answer | None]:
    """What the question is about, and what the machine took the answer for."""
    answers = {each.question: each for each in work.answers.of(call_id)}
    given = answers.get(question)
    if given is not None:
        return Question(given.topic), given
    turns = work.turns.of(call_id)
    asked = [each for each in turns if each.question == question]
    for topic in (*(each.judgement.get("question") for each in asked), question):
        if asked and topic in ANSWERS and topic != Question.ANY:
            return Question(topic), None
    known = "、".join(dict.fromkeys((*answers, *(each.question for each in turns))))
    raise NotFound(f"通话{call_id}没有问过“{question}”；问过的：{known or '无'}")


def _details(topic: Question, details: Sequence[str]) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(each.strip() for each in details if each.strip()))
    if len(named) > MOST_DETAILS or any(len(each) > DETAIL_CHARS for each in named):
        raise BadInput(f"补充说明最多{MOST_DETAILS}项，每项最多{DETAIL_CHARS}字")
    strange = [each for each in named if each not in NEEDS_ZH]
    if topic is Question.NEEDS and strange:
        known = "、".join(f"{word}（{chinese}）" for word, chinese in NEEDS_ZH.items())
        raise BadInput(f"不认识的服务需求“{strange[0]}”；可以写：{known}")
    return named


# ---- the case ----------------------------------------------------------------------------------


def _entries(turn: Turn) -> tuple[str, ...]:
    """On what the alert rested; of a missed one, what matched and was thought harmless."""
    if turn.alert is not Alert.NONE:
        return tuple(map(str, turn.judgement.get("entries") or ()))
    matched = (each.get("entry") for each in turn.judgement.get("judgements") or ())
    return tuple(dict.fromkeys(str(each) for each in matched if each))


def _case_of(work: Work, call: Call, turn: Turn) -> Case | None:
    """The newest case of this elder that rests on this turn, open or closed."""
    cases = work.cases.of_elder(call.elder_id, limit=CASES_LOOKED_AT)
    return next((each for each in cases if any(_same(e, turn) for e in each.evidence)), None)


def _same(evidence: dict[str, Any], turn: Turn) -> bool:
    """The words of an alert may be cut differently while the call lives and afterwards."""
    if evidence.get("call_id") != turn.call_id:
        return False
    if evidence.get("text") == turn.text:
        return True
    start, end = evidence.get("start_s"), evidence.get("end_s")
    if start is None or end is None or turn.start_s is None or turn.end_s is None:
        return False
    return bool(start < turn.end_s and turn.start_s < end)


def _seen_to(case: Case | None, last: Verdict | None) -> bool:
    """Somebody is going, or was there: nobody is sent a second time for the same words. What was
    closed without a visit, or called a false alarm before, is opened anew."""
    if case is None:
        return False
    if case.status is not CaseStatus.CLOSED:
        return True
    cleared = last is not None and last.verdict is ReviewVerdict.FALSE_ALARM
    return not cleared and (case.visited_at is not None or case.referred_to is not None)


def _open(
    work: Work, call: Call, turn: Turn, case: Case | None, now: datetime, rules: Deadlines, *, urgent: bool
) -> Case:
    judged = turn.judgement
    events = [each.get("event") for each in judged.get("judgements") or ()]
    fact = AlertFact(
        alert=Alert.URGENT if urgent or turn.alert is Alert.URGENT else Alert.REVIEW,
        text=turn.text,
        question=turn.question,
        answer=str(judged.get("answer", "")),
        reasons=(*map(str, judged.get("reasons") or ()), CONFIRMED_BY_EAR),
        event=events[0] if events else None,
        relative=turn.speaker is Speaker.RELATIVE,
        start_s=turn.start_s,
        end_s=turn.end_s,
    )
    # Without its answer the alert is a plain concern: a wish to be left alone is no case by itself.
    facts = _elder_facts(work, call.elder_id, now)
    for each in (fact, replace(fact, answer="")):
        outcome = Outcome(elder_id=call.elder_id, call_id=call.id, alerts=(each,))
        draft = case_for(outcome, facts, rules, now)
        if draft is not None:
            return open_case(work, draft, now)
    raise AssertionError("an alert always makes a case")


def _elder_facts(work: Work, elder_id: int, now: datetime) -> ElderFacts:
    elder = work.elders.get(elder_id)
    if elder is None:
        raise NotFound(f"no elder {elder_id}")
    return elder_facts(work, elder, now)


# ---- telling -----------------------------------------------------------------------------------


def _subject(call_id: int) -> str:
    return f"call:{call_id}"


def _audit(work: Work, given: Verdict, before: ReviewVerdict | None, case: Case | None) -> None:
    """At the call, and in the history of its case. The reason stays where it is encrypted."""
    detail = {
        "verdict_id": given.id,
        "verdict": given.verdict.value,
        "from": None if before is None else before.value,
        "call_id": given.call_id,
        "turn": given.turn_seq,
        "alert": given.alert.value,
        "case_id": None if case is None else case.id,
    }
    work.audit.write(given.at, given.by, VERDICT_GIVEN, _subject(given.call_id), detail)
    if case is not None:
        work.audit.write(given.at, given.by, VERDICT_GIVEN, f"case:{case.id}", detail)


def _told(turn: Turn, verdict: Verdict | None) -> dict[str, Any]:
    return {
        "turn": turn.seq,
        "speaker": turn.speaker.value,
        "speaker_zh": zh(turn.speaker),
        "question": turn.question,
        "text": turn.text,
        "start_s": turn.start_s,
        "end_s": turn.end_s,
        "alert": turn.alert.value,
        "alert_zh": "" if turn.alert is Alert.NONE else zh(turn.alert),
        "entries": list(_entries(turn)),
        "verdict": None if verdict is None else verdict.verdict.value,
        "verdict_zh": "" if verdict is None else zh(verdict.verdict),
        "reason": "" if verdict is None else verdict.reason,
        "by": None if verdict is None else verdict.by,
    }
