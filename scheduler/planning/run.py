"""`plan_due`: the plans of the present period, in sets.

Bounded chunks of elders, each a short transaction, and no transaction at all for a chunk in which
nothing is missing: calls in progress write between two of them. Interrupted anywhere, the next run
goes on: what exists is left alone. Only the few who must be asked for consent, or whose pause is
over, are handled one by one, because a case is made for each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.crashpoints import reached
from scheduler.due import Way, plan_row, terms
from scheduler.planning.campaigns import rounds
from scheduler.policy import Policy
from scheduler.settle import escalate_plan
from storage.model import Chunk, Elder, Terms
from visits.model import Outcome
from visits.rules import case_for
from visits.service import elder_facts, open_case
from xunfang.clock import Clock
from xunfang.errors import NotFound
from xunfang.vocabulary import CaseKind, PlanStatus, VisitMode

if TYPE_CHECKING:
    from storage import Store, Work

CHUNK_ELDERS = {"sqlite": 2000, "postgresql": 20_000}  # SQLite has one writer: keep it free
CASES_AT_ONCE = 100  # elders with a case of their own in one transaction


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What one run of planning created. `refused`: elders who said no to every kind of visit.
    `campaign`: plans of surges (their elders are counted in `phone` and `on_site` of nobody else)."""

    created: int = 0
    phone: int = 0
    on_site: int = 0
    consent_cases: int = 0
    paused: int = 0
    resumed: int = 0
    refused: int = 0
    campaign: int = 0
    pauses_ended: int = 0


def plan_due(
    store: Store, clock: Clock, policy: Policy, *, dry_run: bool = False, chunk: int | None = None
) -> PlanReport:
    """Plan the current period of every active elder and the rounds of running campaigns.

    `dry_run` only counts. `chunk`: elders per transaction; by engine when not given.
    """
    now = clock.now()
    terms_now = terms(now, policy)
    total: Counter[str] = Counter()
    size = chunk or CHUNK_ELDERS[store.dialect]
    if not dry_run:
        total["resumed"] = _resume(store, terms_now, policy)
        total["pauses_ended"] = tell_of_pauses(store, now, terms_now, policy)
    for part in chunks(store, size):
        total += _ordinary(store, terms_now, part, policy, dry_run)
        reached("plan.written")
    for round in rounds(store, terms_now, policy):
        for part in chunks(store, size):
            with store.read() as work:
                missing = work.campaigns.unplanned(round, terms_now, part)
            if missing and not dry_run:
                with store.begin() as work:
                    missing = work.campaigns.plan(round, terms_now, part)
            total["campaign"] += missing.total()
    total["created"] += total["campaign"]
    return PlanReport(**total)


def chunks(store: Store, size: int) -> Iterator[Chunk]:
    after = 0
    while True:
        with store.read() as work:
            part = work.planning.chunk(after, size)
        if part is None:
            return
        yield part
        after = part.upto


def _ordinary(store: Store, terms: Terms, part: Chunk, policy: Policy, dry_run: bool) -> Counter[str]:
    with store.read() as work:
        missing = work.planning.unplanned(terms, part)
        new = work.planning.newcomers(part)
    done = Counter({"refused": missing["none"]})
    asked = missing["ask"]
    plannable = missing["phone"] + missing["on_site"] + missing["paused"]
    if not dry_run:
        if plannable or new:
            with store.begin() as work:
                if new:
                    work.planning.welcome(terms, part)
                missing = work.planning.plan(terms, part)
        asked = _ask(store, terms, part, policy) if asked else 0
    for way in ("phone", "on_site", "paused"):
        done[way] = missing[way]
        done["created"] += missing[way]
    done["consent_cases"] = asked
    done["created"] += asked
    return done


def _ask(store: Store, terms: Terms, part: Chunk, policy: Policy) -> int:
    """The row is created with the case that carries it on, in one transaction."""
    asked = 0
    while True:
        with store.begin() as work:
            elders = work.planning.to_ask(terms, part, CASES_AT_ONCE)
            for elder in elders:
                _ask_one(work, elder, terms.now, policy)
        asked += len(elders)
        if len(elders) < CASES_AT_ONCE:
            return asked


def _ask_one(work: Work, elder: Elder, now: datetime, policy: Policy) -> None:
    row = plan_row(elder, Way.ASK, now, policy)
    work.plans.ensure([row])
    plan = work.plans.of_period(elder.id, row.period)
    if plan is None:
        raise NotFound(f"the plan of elder {elder.id} for {row.period} vanished while planning")
    escalate_plan(work, plan, CaseKind.CONSENT, policy, now)


# ---- pauses ------------------------------------------------------------------------------------


def _resume(store: Store, terms: Terms, policy: Policy) -> int:
    """The pause is over: what the elder may be visited by is asked anew, much may have changed."""
    resumed, after = 0, 0
    while True:
        with store.read() as work:
            found = work.planning.to_resume(terms, after, CASES_AT_ONCE)
        if not found:
            return resumed
        with store.begin() as work:
            phone = [id for id, way in found if way == Way.PHONE]
            resumed += work.planning.resume(phone, PlanStatus.DUE, VisitMode.PHONE)
            on_site = [id for id, way in found if way != Way.PHONE]
            resumed += work.planning.resume(on_site, PlanStatus.ON_SITE, VisitMode.ON_SITE)
            for id, way in found:
                plan = work.plans.get(id) if way == Way.ASK else None
                if plan is not None and plan.status is PlanStatus.ON_SITE:
                    escalate_plan(work, plan, CaseKind.CONSENT, policy, terms.now)
        after = found[-1][0]


def tell_of_pauses(store: Store, now: datetime, terms: Terms, policy: Policy) -> int:
    """暂停到期: a case each, once, so that a human looks whether he is back. Visits go on meanwhile."""
    told = 0
    while True:
        with store.read() as work:
            elders = work.planning.pauses_ended(terms.today, CASES_AT_ONCE)
        if not elders:
            return told
        with store.begin() as work:
            told += sum(_tell_of_pause(work, elder, now, policy) for elder in elders)


def _tell_of_pause(work: Work, elder: Elder, now: datetime, policy: Policy) -> bool:
    until = elder.paused_until
    if until is None or not work.planning.pause_told(elder.id, until):
        return False
    outcome = Outcome(elder_id=elder.id, escalate=CaseKind.PAUSE_ENDED, period=f"pause:{until}")
    draft = case_for(outcome, elder_facts(work, elder, now), policy.deadlines, now)
    assert draft is not None, "an outcome with `escalate` always makes a case"
    open_case(work, draft, now)
    work.audit.write(now, "system", "pause.ended", f"elder:{elder.id}", {"paused_until": until.isoformat()})
    return True
