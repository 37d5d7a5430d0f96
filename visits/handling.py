"""What people do to a case: one step in one transaction, with its audit and its notices.

A step is a conditional change: of two who act at the same moment one wins, and the other is told
who won. What was not done is audited too (visit_not_made, not_reassigned).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.model import AuditEntry, Case, Elder
from visits import life, telling, watch
from visits.deadlines import Deadlines
from visits.life import SYSTEM, Actor, Order, Role
from visits.service import candidates, propose
from xunfang.errors import BadInput, Conflict, NotFound, StorageError
from xunfang.vocabulary import CaseKind, CaseLevel, CaseStatus, CaseStep, zh

if TYPE_CHECKING:
    from storage import Work

KINDS = {step: f"case.{step.value}" for step in CaseStep}
ESCALATED = "case.escalated"
LEVEL_SKIPPED = "level_skipped"
NOT_REASSIGNED = "not_reassigned"
VISIT_NOT_MADE = "visit_not_made"
TRIES = 5  # a reminder may come in between; it changes nothing that matters to a person
PAGE = 1000


def handle(
    work: Work, case_id: int, order: Order, now: datetime, rules: Deadlines, seen: Case | None = None
) -> Case:
    """Do the step and return the case as it has become.

    `seen`: the case as the person saw it when he decided; when it was changed since, he is told
    who was first. Raises NotFound, Conflict (not in this state, not his, somebody was first) or
    BadInput (no note, no such visitor); then nothing is written.
    """
    case = get(work, case_id)
    if seen is not None and _is_other(case, seen):
        raise Conflict(who_was_first(work, case, rules.timezone))
    for _ in range(TRIES):
        _check_people(work, case, order)
        try:
            becomes = life.take(case, order, now)
        except Conflict as error:
            last = last_in_words(work, case, rules.timezone)
            raise Conflict(f"{error}（{last}）" if last else str(error)) from None
        if work.cases.advance(case, becomes, look_at=now):
            return _taken(work, case, becomes, order, now, rules)
        before, case = case, get(work, case_id)
        if _is_other(case, before):
            raise Conflict(who_was_first(work, case, rules.timezone))
    raise StorageError(f"case {case_id} is changed by others all the time: try again")


def close_by_callback(work: Work, case_id: int, call_id: int, now: datetime, rules: Deadlines) -> Case:
    """The one way in which a case closes without a human's note: the elder rang back and answered.

    Only for missed calls: a case that also rests on anything else (a wish, a danger) stays open.
    Raises Conflict then, or when somebody is on the way already.
    """
    case = get(work, case_id)
    reasons = {each.get("kind") for each in case.evidence}
    if case.kind is not CaseKind.MISSED_CALL or reasons - {CaseKind.MISSED_CALL.value}:
        raise Conflict(f"案件{case_id}不只是未接通，老人回电不能自动办结")
    note = f"老人已回电并完成询问（通话{call_id}），由系统按回电规则办结。"
    return handle(
        work, case_id, Order(CaseStep.CLOSE, Actor(Role.ELDER, str(case.elder_id)), note), now, rules
    )


def get(work: Work, case_id: int) -> Case:
    case = work.cases.get(case_id)
    if case is None:
        raise NotFound(f"no case {case_id}; `xunfang cases` lists the open ones")
    return case


def elder_of(work: Work, case: Case) -> Elder:
    elder = work.elders.get(case.elder_id)
    if elder is None:
        raise NotFound(f"no elder {case.elder_id}")
    return elder


def subject(case: Case) -> str:
    return f"case:{case.id}"


# ---- who was first -----------------------------------------------------------------------------


def last_step(work: Work, case: Case) -> AuditEntry | None:
    """The last step that somebody took."""
    found, after, steps = None, 0, frozenset(KINDS.values())
    while page := work.audit.of(subject(case), after_id=after, limit=PAGE):
        found = next((each for each in reversed(page) if each.kind in steps), found)
        after = page[-1].id
    return found


def who_was_first(work: Work, case: Case, timezone: str) -> str:
    last = last_in_words(work, case, timezone)
    return f"案件{case.id}{last}{'，' if last else ''}现为“{zh(case.status)}”"


def last_in_words(work: Work, case: Case, timezone: str) -> str:
    """已由巡访员3于11月23日09:10办结; empty when nobody has done anything yet."""
    entry = last_step(work, case)
    if entry is None:
        return ""
    step = CaseStep(entry.kind.removeprefix("case."))
    return f"已由{life.actor_zh(entry.actor)}于{telling.at(entry.at, timezone)}{zh(step)}"


def _is_other(case: Case, seen: Case) -> bool:
    return (case.status, case.visitor_id, case.closed_at) != (seen.status, seen.visitor_id, seen.closed_at)


# ---- before and after a step -------------------------------------------------------------------


def _check_people(work: Work, case: Case, order: Order) -> None:
    elder = elder_of(work, case)
    near = [each.id for each in candidates(work, elder)]
    for visitor_id in {order.visitor_id, order.actor.visitor_id} - {None}:
        assert visitor_id is not None
        visitor = work.visitors.get(visitor_id)
        if visitor is None or not visitor.active:
            known = "、".join(map(str, near)) or "无，请先在台账登记"
            raise NotFound(f"没有在岗的巡访员{visitor_id}；这位老人可用的巡访员编号：{known}")
        if visitor.elder_id not in (None, case.elder_id):
            raise BadInput(f"巡访员{visitor_id}只负责另一位老人，不能处理案件{case.id}")
    claims = order.step is CaseStep.ACCEPT and case.status is CaseStatus.OPEN
    if claims and order.actor.visitor_id not in {None, case.visitor_id, *near}:
        raise Conflict(f"案件{case.id}不在巡访员{order.actor.visitor_id}的片区，须由督导分派")


def _taken(work: Work, case: Case, becomes: Case, order: Order, now: datetime, rules: Deadlines) -> Case:
    elder = elder_of(work, case)
    audit_step(work, case, becomes, order, now)
    if order.step is CaseStep.CLOSE and becomes.visited_at is None:
        detail = {"from": case.status.value, "visitor_id": case.visitor_id}
        work.audit.write(now, str(order.actor), VISIT_NOT_MADE, subject(case), detail)
    tell_step(work, case, becomes, elder, order, now, rules)
    if order.step is CaseStep.REFUSE:
        return _after_refusal(work, becomes, elder, now, rules)
    return becomes


def audit_step(work: Work, case: Case, becomes: Case, order: Order, now: datetime) -> None:
    """Who, when, from what to what. 处置情况 itself stands in the case."""
    detail: dict[str, Any] = {
        "from": case.status.value,
        "to": becomes.status.value,
        "visitor_id": case.visitor_id if order.step is CaseStep.REFUSE else becomes.visitor_id,
    }
    if order.step is CaseStep.ASSIGN and case.visitor_id not in (None, becomes.visitor_id):
        detail["instead_of"] = case.visitor_id
    if order.step is CaseStep.REFER:
        detail |= {"referred_to": becomes.referred_to, "category": becomes.report_category}
    note = becomes.visitor_why if order.step is CaseStep.ASSIGN else order.note.strip()
    if note and order.step is not CaseStep.CLOSE:
        detail["note"] = note
    work.audit.write(now, str(order.actor), KINDS[order.step], subject(case), detail)


def tell_step(
    work: Work, case: Case, becomes: Case, elder: Elder, order: Order, now: datetime, rules: Deadlines
) -> None:
    """Who must go is told; who need not go any more, too; refusals and referrals reach the desk."""
    kind = KINDS[order.step]
    if order.step is CaseStep.ASSIGN and becomes.visitor_id is not None:
        until = telling.at(watch.due(becomes, rules), rules.timezone)
        what = f"已分派给您，请在{until}前接受或说明不能去"
        telling.tell(work, kind, becomes, elder, [telling.visitor(becomes.visitor_id)], what, now)
    if order.step in (CaseStep.REFUSE, CaseStep.REFER):
        what = "巡访员推辞，请留意改派" if order.step is CaseStep.REFUSE else _referral(becomes)
        telling.tell(work, kind, becomes, elder, [telling.DUTY, telling.WEBHOOK], what, now)
    released = _released(case, becomes, order.actor)
    if released is not None:
        what = "已办结，不用再去" if order.step is CaseStep.CLOSE else "已改派他人，不用再去"
        telling.tell(work, "case.released", becomes, elder, [telling.visitor(released)], what, now)


def _referral(case: Case) -> str:
    assert case.referred_to is not None, "a referred case says to whom"
    assert case.report_category is not None, "a referred case says what is reported"
    return f"已转介{zh(case.referred_to)}（{zh(case.report_category)}），请跟进"


def _released(case: Case, becomes: Case, actor: Actor) -> int | None:
    """The visitor who was told to go and need not go any more."""
    waiting = case.status in watch.UNVISITED and case.visitor_id not in (None, actor.visitor_id)
    gone = becomes.status is CaseStatus.CLOSED or becomes.visitor_id not in (None, case.visitor_id)
    return case.visitor_id if waiting and gone else None


# ---- the next one ------------------------------------------------------------------------------


def next_visitor(work: Work, case: Case, elder: Elder) -> Order | None:
    """The system's order to assign the nearest who was not asked yet; None when nobody is left."""
    proposal = propose(work, elder, without=case.asked)
    if proposal.visitor_id is None:
        return None
    return Order(CaseStep.ASSIGN, SYSTEM, f"改派：{proposal.why}", visitor_id=proposal.visitor_id)


def _after_refusal(work: Work, case: Case, elder: Elder, now: datetime, rules: Deadlines) -> Case:
    """Reassign at once; when nobody is left, the next level is rung now instead of by deadline."""
    order = next_visitor(work, case, elder)
    if order is None:
        work.audit.write(
            now, str(SYSTEM), NOT_REASSIGNED, subject(case), {"because": "everybody near was asked"}
        )
        return _ring_next_level(work, case, elder, now, rules)
    becomes = life.take(case, order, now)
    if not work.cases.advance(case, becomes, look_at=now):
        raise StorageError(f"case {case.id} changed while it was reassigned: try again")
    audit_step(work, case, becomes, order, now)
    tell_step(work, case, becomes, elder, order, now, rules)
    return becomes


def _ring_next_level(work: Work, case: Case, elder: Elder, now: datetime, rules: Deadlines) -> Case:
    if not watch.levels_above(case.level):
        return case
    becomes = replace(case, level=next_level(work, case, elder, now), level_since=now)
    if not work.cases.advance(case, becomes, look_at=now):
        raise StorageError(f"case {case.id} changed while it was escalated: try again")
    ring(work, case, becomes, elder, "nobody is left to go", now)
    return becomes


def next_level(work: Work, case: Case, elder: Elder, now: datetime) -> CaseLevel:
    """The next level at which there is somebody to ring; the skipped ones are audited."""
    above = watch.levels_above(case.level)
    for level in above[:-1]:
        if telling.people_of(work, elder, level, case.asked):
            return level
        detail = {"level": level.value, "because": "nobody is registered there"}
        work.audit.write(now, str(SYSTEM), LEVEL_SKIPPED, subject(case), detail)
    return above[-1]


def ring(work: Work, case: Case, becomes: Case, elder: Elder, because: str, now: datetime) -> None:
    """Tell the people of the new level, the desk and the visitor; `because` is for the audit."""
    assert becomes.level is not None, "only a level can be rung"
    what = f"{waits_for(becomes)}，现上报{zh(becomes.level)}级，请督促处理"
    to = [*telling.people_of(work, elder, becomes.level, becomes.asked), telling.DUTY, telling.WEBHOOK]
    if becomes.visitor_id is not None and becomes.visitor_id == case.visitor_id:
        to.append(telling.visitor(becomes.visitor_id))  # who was relieved is told so, and no more
    told = telling.tell(work, ESCALATED, becomes, elder, to, what, now, heading="【升级】")
    detail = {
        "from": None if case.level is None else case.level.value,
        "to": becomes.level.value,
        "status": becomes.status.value,
        "because": because,
        "told": told,
    }
    work.audit.write(now, str(SYSTEM), ESCALATED, subject(case), detail)


def waits_for(case: Case) -> str:
    """What has not been done, in Chinese."""
    match case.status:
        case CaseStatus.OPEN | CaseStatus.ASSIGNED:
            return "尚无人接受上门任务" if case.visitor_id is None else "巡访员尚未接受上门任务"
        case CaseStatus.ACCEPTED | CaseStatus.ON_THE_WAY:
            return "已过期限，尚未上门"
        case CaseStatus.VISITED:
            return "已上门，处置情况尚未填写"
        case _:
            return "已转介，尚未跟进办结"
