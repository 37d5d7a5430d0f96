"""When somebody has to go and see, how soon, and who. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ivr.understanding.model import Question
from records.model import AlertFact, need_zh
from records.rules import open_topics, worries
from storage.model import Answer, Contact, Elder, Visitor
from visits.contacts import MOST_CONTACTS
from visits.deadlines import Deadlines
from visits.model import CaseDraft, ElderFacts, Outcome, Proposal
from visits.risk import reasons, risk_priority
from xunfang.vocabulary import Alert, AnswerSource, CaseKind, Priority, zh

# Which reason names a case that has several.
GRAVEST_FIRST: tuple[CaseKind, ...] = (
    CaseKind.DISTRESS,
    CaseKind.CONCERN,
    CaseKind.NUMBER_PROBLEM,
    CaseKind.MISSED_CALL,
    CaseKind.UNCLEAR,
    CaseKind.OTHER_PERSON,
    CaseKind.REFUSAL,
    CaseKind.REQUEST,
    CaseKind.NOT_DIALLED,
    CaseKind.NOT_VISITED,
    CaseKind.PAUSE_ENDED,
    CaseKind.CONSENT,
)
MOST_URGENT_FIRST: tuple[Priority, ...] = (Priority.URGENT, Priority.HIGH, Priority.NORMAL)

ASKS_FOR_A_HUMAN = "ask_human"
ASKS_TO_BE_LEFT = "opt_out"


def graver(one: CaseKind, other: CaseKind) -> CaseKind:
    return min(one, other, key=GRAVEST_FIRST.index)


def more_urgent(one: Priority, other: Priority) -> Priority:
    return min(one, other, key=MOST_URGENT_FIRST.index)


def case_for(outcome: Outcome, facts: ElderFacts, deadlines: Deadlines, now: datetime) -> CaseDraft | None:
    """The case this outcome makes, or None. Several reasons make one case: named after the gravest,
    as urgent as the most urgent, due at the earliest, with the evidence of all."""
    found = _reasons(outcome, facts, ZoneInfo(deadlines.timezone))
    if not found:
        return None
    found.sort(key=lambda reason: GRAVEST_FIRST.index(reason[0]))
    kind = found[0][0]
    priorities = [deadlines.priority[each] or risk_priority(facts, deadlines.risk) for each, _, _ in found]
    due = [
        deadlines.deadline(each, priority, now)
        for (each, _, _), priority in zip(found, priorities, strict=True)
    ]
    return CaseDraft(
        elder_id=outcome.elder_id,
        kind=kind,
        priority=min(priorities, key=MOST_URGENT_FIRST.index),
        deadline=min(due),
        summary="\n".join(text for _, text, _ in found),
        evidence=tuple(evidence for _, _, all_of_it in found for evidence in all_of_it),
        call_id=outcome.call_id,
        timezone=deadlines.timezone,
        tell_contacts=outcome.tell_contacts,
        contact_times=contact_times(kind, min(priorities, key=MOST_URGENT_FIRST.index), deadlines, now),
    )


def contact_times(
    kind: CaseKind, priority: Priority, deadlines: Deadlines, now: datetime
) -> tuple[datetime, ...]:
    """Danger is told to all at once, everything else to one contact after another."""
    if kind is CaseKind.DISTRESS:
        return (now,)
    every = deadlines.life.contacts_every[priority]
    return tuple(deadlines.after(priority, now, every * place) for place in range(MOST_CONTACTS))


def distress_case(
    elder_id: int, call_id: int, fact: AlertFact, deadlines: Deadlines, now: datetime
) -> CaseDraft:
    """The case that is opened while the call is still open."""
    draft = case_for(
        Outcome(elder_id=elder_id, call_id=call_id, alerts=(fact,)), ElderFacts(), deadlines, now
    )
    assert draft is not None, "an alert always makes a case"
    return draft


def summary_of(kind: CaseKind, text: str) -> str:
    return f"{zh(kind)}：{text}"


_Reason = tuple[CaseKind, str, list[dict[str, Any]]]


def _reasons(outcome: Outcome, facts: ElderFacts, zone: ZoneInfo) -> list[_Reason]:
    found: list[_Reason] = []
    urgent = [each for each in outcome.alerts if each.alert is Alert.URGENT]
    if urgent:
        said = "；".join(_quote(each) for each in urgent)
        found.append(
            (
                CaseKind.DISTRESS,
                summary_of(CaseKind.DISTRESS, f"{said}。请立即联系并上门，必要时由工作人员拨打120/110。"),
                [_evidence(CaseKind.DISTRESS, each, outcome.call_id) for each in urgent],
            )
        )
    request = _request(outcome)
    if request is not None:
        found.append(request)
    concern = _concern(outcome)
    if concern is not None:
        found.append(concern)
    if outcome.opt_out:
        text = "老人要求不再电话巡访，系统已停止拨打。请上门征求意见，改为上门巡访。"
        found.append(
            (
                CaseKind.REFUSAL,
                summary_of(CaseKind.REFUSAL, text),
                [{"kind": CaseKind.REFUSAL.value, "call_id": outcome.call_id, "text": "不再接受电话巡访"}],
            )
        )
    elif outcome.relative_says_stop is not None:
        found.append(_relative_says_stop(outcome, outcome.relative_says_stop))
    if not outcome.opt_out and outcome.escalate is not None:
        found.append(_escalated(outcome, outcome.escalate, facts, zone))
    return found


def _relative_says_stop(outcome: Outcome, words: str) -> _Reason:
    """Somebody else's word is below the elder's own: his consent stands until a human has asked him."""
    until = outcome.paused_until
    pause = "" if until is None else f"电话巡访暂停到{until.month}月{until.day}日。"
    text = f"家属要求不再来电，老人本人没有这样说，同意没有撤回。{pause}请上门征求老人本人的意愿。"
    by = zh(AnswerSource.RELATIVE)
    evidence = {"kind": CaseKind.CONSENT.value, "call_id": outcome.call_id, "text": words, "by": by}
    return CaseKind.CONSENT, summary_of(CaseKind.CONSENT, text), [evidence]


def _wishes(outcome: Outcome) -> list[Answer]:
    """需要帮忙, and 要工作人员回电话."""
    topics = (Question.NEEDS, Question.CALLBACK)
    return [each for each in outcome.answers if each.topic in topics and each.answer == "yes"]


def _request(outcome: Outcome) -> _Reason | None:
    wishes = _wishes(outcome)
    human = [each for each in outcome.alerts if each.answer == ASKS_FOR_A_HUMAN]
    if not wishes and not human:
        return None
    named = list(dict.fromkeys(need_zh(detail) for each in wishes for detail in each.details))
    if human or any(each.topic == Question.CALLBACK for each in wishes):
        named.append("要求工作人员联系")
    evidence = [_said(CaseKind.REQUEST, each) for each in wishes]
    evidence += [_evidence(CaseKind.REQUEST, each, outcome.call_id) for each in human]
    text = f"老人提出：{'、'.join(named) or '需要帮助，待上门了解'}。请联系落实。"
    return CaseKind.REQUEST, summary_of(CaseKind.REQUEST, text), evidence


def _concern(outcome: Outcome) -> _Reason | None:
    """Review alerts that are not already told as a request or a refusal, and worrying answers."""
    wishes = _wishes(outcome)
    told = {each.text for each in wishes} | {each.question for each in wishes}
    review = [
        each
        for each in outcome.alerts
        if each.alert is Alert.REVIEW
        and each.answer not in (ASKS_FOR_A_HUMAN, ASKS_TO_BE_LEFT)
        and (each.event is not None or not {each.text, each.question} & told)
    ]
    worrying = worries(outcome.answers)
    if not review and not worrying:
        return None
    said = "；".join(dict.fromkeys((*worrying, *(_quote(each) for each in review))))
    evidence = [_evidence(CaseKind.CONCERN, each, outcome.call_id) for each in review]
    quoted = {each["text"] for each in evidence}
    evidence += [
        _said(CaseKind.CONCERN, each)
        for each in outcome.answers
        if worries((each,)) and each.text not in quoted
    ]
    return CaseKind.CONCERN, summary_of(CaseKind.CONCERN, f"{said}。请当日核实。"), evidence


def _escalated(outcome: Outcome, kind: CaseKind, facts: ElderFacts, zone: ZoneInfo) -> _Reason:
    calls = _calls_in_words(outcome, zone)
    about = _elder_in_words(facts)
    if kind is CaseKind.NUMBER_PROBLEM:
        text = f"老人电话{calls or '无法使用'}。请上门看望，并更正联系电话。{about}"
    elif kind is CaseKind.UNCLEAR:
        topics = open_topics(outcome.answers)
        what = f"未能确认：{'、'.join(topics)}。" if topics else "通话中未能确认老人情况。"
        text = f"{what}请上门核实。{about}"
    elif kind is CaseKind.OTHER_PERSON:
        text = f"多次由他人接听，未能与老人本人通话（{calls}）。请上门看望本人。{about}"
    elif kind is CaseKind.NOT_DIALLED:
        how = f"（{calls}）" if calls else ""
        text = f"本期内系统未能拨出电话{how}，并非老人未接。请运维排查，并安排人工联系。"
    elif kind is CaseKind.REFUSAL:
        text = "老人在电话里不愿接受巡访，未经确认，同意没有撤回。请上门征求意见。"
    elif kind is CaseKind.CONSENT:
        text = "尚无老人对电话或上门巡访的同意记录。请上门说明并征求意见。"
    elif kind is CaseKind.NOT_VISITED:
        text = f"本期应上门巡访，尚无上门记录。请上门看望。{about}"
    elif kind is CaseKind.PAUSE_ENDED:
        text = "暂停巡访已到期，巡访已恢复。请核实老人是否已回到家中，未回请延长暂停。"
    else:
        text = f"{calls or '电话未能接通'}。请上门看望。{about}"
    evidence: list[dict[str, Any]] = [
        {
            "kind": kind.value,
            "call_id": outcome.call_id,
            "period": outcome.period,
            "text": calls or text,
            "tried": [
                {"at": each.at.isoformat(), "disposition": each.disposition.value} for each in outcome.tried
            ],
        }
    ]
    return kind, summary_of(kind, text), evidence


def _calls_in_words(outcome: Outcome, zone: ZoneInfo) -> str:
    if not outcome.tried:
        return ""
    counted = Counter(each.disposition for each in outcome.tried)
    last = outcome.tried[-1].at.astimezone(zone)
    kinds = "、".join(f"{zh(disposition)}{times}次" for disposition, times in counted.items())
    return f"共拨打{len(outcome.tried)}次（{kinds}），最近一次{last.month}月{last.day}日{last:%H:%M}"


def _elder_in_words(facts: ElderFacts) -> str:
    known = reasons(facts)
    return f"{'、'.join(known)}。" if known else ""


def _quote(fact: AlertFact) -> str:
    by = zh(AnswerSource.RELATIVE) if fact.relative else "老人说"
    return f"{by}“{fact.text}”" if fact.text else "通话中出现报警，请听录音"


def _said(kind: CaseKind, answer: Answer) -> dict[str, Any]:
    by = zh(answer.source)
    return {"kind": kind.value, "call_id": answer.call_id, "text": answer.text, "by": by}


def _evidence(kind: CaseKind, fact: AlertFact, call_id: int | None) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "call_id": call_id,
        "text": fact.text,
        "by": zh(AnswerSource.RELATIVE if fact.relative else AnswerSource.SELF),
        "reasons": list(fact.reasons),
        "event": fact.event,
        "start_s": fact.start_s,
        "end_s": fact.end_s,
    }


# ---- who goes --------------------------------------------------------------------------------

_RANKED: tuple[tuple[str, str], ...] = (
    ("child", "子女"),
    ("relative", "亲属"),
    ("neighbour", "邻居"),
    ("village", "本村巡访员"),
    ("volunteer", "志愿者"),
)


def propose_visitor(
    elder: Elder,
    of_elder: Sequence[Visitor],
    of_area: Sequence[Visitor],
    contacts: Sequence[Contact],
    without: Collection[int] = (),
) -> Proposal:
    """Jilin 2020 clause 四(二)4: children in the same place are the first visitors 第一巡访员; then
    relatives and neighbours, the village, volunteers. A contact is only proposed when the elder
    agreed that he may be told. `of_area` is ordered nearest area first. `without`: ids of those who
    refused or stayed silent."""
    active = [each for each in of_elder if each.active and each.id not in without]
    same_place = {_digits(each.phone) for each in contacts if each.same_place and each.phone}
    for child in (each for each in active if each.kind == "child"):
        if _digits(child.phone) in same_place or (
            child.area_id is not None and child.area_id == elder.area_id
        ):
            return Proposal(child.id, "子女与老人同住一地，为第一巡访员")
    registered = {_digits(each.phone) for each in of_elder}
    for contact in sorted(contacts, key=lambda each: each.position):
        if (
            contact.relation == "child"
            and contact.same_place
            and contact.may_be_told
            and _digits(contact.phone) not in registered
        ):
            return Proposal(None, "子女与老人同住一地，列为第一巡访员", contact.id)
    near = [
        each
        for each in of_area
        if each.active and each.elder_id in (None, elder.id) and each.id not in without
    ]
    for kind, named in _RANKED:
        if kind == "child":
            continue  # a child who lives elsewhere keeps contact by telephone, but cannot knock today
        for visitor in [*active, *near]:
            if visitor.kind == kind:
                return Proposal(visitor.id, f"无同住一地的子女，由{named}上门")
    for visitor in active:
        if visitor.kind == "child":
            return Proposal(visitor.id, "附近没有其他巡访员，请外地子女联系")
    return Proposal(None, "没有登记的巡访员，请督导指派")


def _digits(phone: str) -> str:
    return "".join(letter for letter in phone if letter.isdigit())


def days_between(earlier: datetime | None, now: datetime) -> int | None:
    return None if earlier is None else max(0, (now - earlier) // timedelta(days=1))
