"""催办与升级: the tick that reminds and rings the next level until somebody acts.

What is due is decided by visits.watch from stored times and one "now" per tick; the change is
conditional, so that two services that tick together tell everybody once. It never closes a case.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from storage.model import Case, Elder
from visits import handling, life, telling, watch
from visits.deadlines import Deadlines
from visits.life import SYSTEM, UNACCEPTED, Order
from xunfang.clock import Clock
from xunfang.errors import XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CaseLevel

if TYPE_CHECKING:
    from storage import Store, Work

REMINDED = "case.reminded"
SILENT = "visitor_silent"
PAGE = 200

_log = get_logger("visits")


class _SomebodyElse(Exception):
    """The case changed under our hands: what was begun is rolled back and looked at again."""


def remind_due(store: Store, clock: Clock, rules: Deadlines) -> int:
    """Look at every case whose time has come; returns at how many somebody was told something."""
    now, told = clock.now(), 0
    while True:
        with store.read() as work:
            cases = work.cases.to_look_at(now, PAGE)
        outcomes = [_one(store, case.id, now, rules) for case in cases]
        told += outcomes.count(True)
        if len(cases) < PAGE or all(each is None for each in outcomes):
            return told


def _one(store: Store, case_id: int, now: datetime, rules: Deadlines) -> bool | None:
    """A transaction each. True: told somebody; False: nothing was due; None: could not be looked at."""
    try:
        with store.begin() as work:
            return _look_at(work, case_id, now, rules)
    except _SomebodyElse:
        return None
    except XunfangError as error:
        if error.retryable:
            raise
        _log.error("case.cannot_remind", case_id=case_id, why=str(error))
        return None


def _look_at(work: Work, case_id: int, now: datetime, rules: Deadlines) -> bool:
    case = work.cases.get(case_id)
    if case is None or case.closed_at is not None:
        return False
    seen = watch.look(case, now, rules)
    if not seen.remind and not seen.escalate:
        _advance(work, case, case, now, rules)
        return False
    elder = handling.elder_of(work, case)
    if seen.escalate:
        _escalate(work, case, elder, now, rules)
    else:
        becomes = replace(case, reminded_at=now)
        _advance(work, case, becomes, now, rules)
        _remind(work, becomes, elder, now)
    return True


def _advance(work: Work, case: Case, becomes: Case, now: datetime, rules: Deadlines) -> None:
    if not work.cases.advance(case, becomes, look_at=watch.look(becomes, now, rules).next_look):
        raise _SomebodyElse


def _remind(work: Work, case: Case, elder: Elder, now: datetime) -> None:
    """The visitor, the level that was rung, and machines; the desk when there is nobody else."""
    people = [] if case.visitor_id is None else [telling.visitor(case.visitor_id)]
    if case.level is not None:
        people += telling.people_of(work, elder, case.level, case.asked)
    to = [*(people or [telling.DUTY]), telling.WEBHOOK]
    what = f"{handling.waits_for(case)}，请尽快处理"
    told = telling.tell(work, REMINDED, case, elder, to, what, now, heading="【催办】")
    detail = {"status": case.status.value, "told": told}
    work.audit.write(now, str(SYSTEM), REMINDED, handling.subject(case), detail)


def _escalate(work: Work, case: Case, elder: Elder, now: datetime, rules: Deadlines) -> None:
    """Ring the next level. Who was silent until now is not waited for any longer: the next goes."""
    level = handling.next_level(work, case, elder, now)
    becomes = replace(case, level=level, level_since=now, reminded_at=now)
    order = _instead_of_the_silent(work, becomes, elder) if case.status in UNACCEPTED else None
    if order is not None:
        if case.visitor_id is not None:
            becomes = replace(becomes, asked=life.also(case.asked, case.visitor_id))
        becomes = life.take(becomes, order, now)
    _advance(work, case, becomes, now, rules)
    because = "not accepted in time" if case.status in UNACCEPTED else "not done in time"
    handling.ring(work, case, becomes, elder, because, now)
    if case.status in UNACCEPTED:
        _audit_silence(work, case, order, level, now)
    if order is not None:
        handling.audit_step(work, case, becomes, order, now)
        handling.tell_step(work, case, becomes, elder, order, now, rules)


def _instead_of_the_silent(work: Work, case: Case, elder: Elder) -> Order | None:
    if case.visitor_id is not None:
        case = replace(case, asked=life.also(case.asked, case.visitor_id))
    return handling.next_visitor(work, case, elder)


def _audit_silence(work: Work, case: Case, order: Order | None, level: CaseLevel, now: datetime) -> None:
    subject = handling.subject(case)
    if case.visitor_id is not None:
        work.audit.write(now, str(SYSTEM), SILENT, subject, {"visitor_id": case.visitor_id})
    if order is None:
        detail = {"because": "everybody near was asked", "level": level.value}
        work.audit.write(now, str(SYSTEM), handling.NOT_REASSIGNED, subject, detail)
