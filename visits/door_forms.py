"""The form from the door: taken once, merged with what the call had filled in, and what it does to the case.

Its key is made on the telephone; a form that comes again gets the first answer again. When somebody else
has closed or taken over the case meanwhile, it is kept as a supplementary record and the case stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from records import on_site
from records.service import BASELINE, CALLS_OF_ONE_VISIT
from storage.files import Kept
from storage.model import Case, DoorEntry, DoorForm, VisitRecord
from visits import handling, life, plates, telling, timebank, webhooks
from visits.deadlines import Deadlines
from visits.doorstep import ENTRY_HOLDS, Claim, ReasonNeeded, Rules, actor_of, enter
from visits.life import Order
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CaseStatus, CaseStep, DoorOutcome, DoorPhotoKind, Risk, VisitMode

if TYPE_CHECKING:
    from storage import Work

RECORDED = "visit.recorded"  # kind of the audit
LATE = timedelta(days=7)  # a telephone may have been without network; what it says of time is believed so far
KEY_CHARS = 64
UNSTATED = "没有网络时打开，未说明原因"


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it comes from the telephone."""

    key: str
    case_id: int
    visitor_id: int
    filled_at: datetime
    claim: Claim
    values: Mapping[str, str] = field(repr=False)
    reasons: Mapping[str, str] = field(repr=False)
    condition: Risk
    note: str = field(repr=False)
    close: bool


@dataclass(frozen=True, slots=True)
class Photo:
    kind: DoorPhotoKind
    kept: Kept
    bytes: int


@dataclass(frozen=True, slots=True)
class Prefilled:
    """`record`: of the call that the case is about; None: nobody was heard."""

    record: VisitRecord | None
    rows: tuple[on_site.Row, ...] = field(repr=False)
    before: dict[str, str] = field(repr=False)
    after: dict[str, str] = field(repr=False)


def prefill(work: Work, case: Case) -> Prefilled:
    record = _heard(work, case)
    latest = work.records.latest(case.elder_id)
    after = {} if latest is None else dict(latest.fields.get(BASELINE, {}))
    before = after if record is None else _baseline_before(work, record)
    return Prefilled(record, on_site.rows({} if record is None else record.fields, before), before, after)


def _heard(work: Work, case: Case) -> VisitRecord | None:
    """The record of the call that opened the case, else of the last one that was merged into it."""
    later = [each.get("call_id") for each in reversed(case.evidence)]
    for call_id in dict.fromkeys([case.call_id, *later]):
        record = work.records.of_call(call_id) if isinstance(call_id, int) else None
        if record is not None and record.elder_id == case.elder_id:
            return record
    return None


def _baseline_before(work: Work, record: VisitRecord) -> dict[str, str]:
    earlier = work.records.of_elder(record.elder_id, CALLS_OF_ONE_VISIT, before=record.visited_at)
    for each in earlier:
        if each.plan_id is None or each.plan_id != record.plan_id:
            return dict(each.fields.get(BASELINE, {}))
    return {}


def submit(
    work: Work, sent: Sent, photos: Sequence[Photo], now: datetime, deadlines: Deadlines, rules: Rules
) -> tuple[DoorForm, bool]:
    """The form, and whether it was here already (then nothing is changed, and the photos are not taken).

    Raises NotFound for an unknown case, BadInput with all that is wrong with the form.
    """
    _check(sent)
    known = work.doorstep.form_of_key(sent.visitor_id, sent.key)
    if known is not None:
        return known, True
    case = handling.get(work, sent.case_id)
    filled_at = min(now, max(sent.filled_at, case.opened_at, now - LATE))
    shown = prefill(work, case)
    filled = on_site.complete(shown.rows, sent.values, sent.reasons)
    form = work.doorstep.receive(
        key=sent.key,
        visitor_id=sent.visitor_id,
        case_id=case.id,
        elder_id=case.elder_id,
        outcome=DoorOutcome.SUPPLEMENTARY,
        filled_at=filled_at,
        received_at=now,
        note=sent.note,
        corrections=filled.corrections,
    )
    if form is None:  # the same form, sent from two tabs at one moment
        first = work.doorstep.form_of_key(sent.visitor_id, sent.key)
        assert first is not None, "a key that cannot be added is there"
        return first, True
    for photo in photos:
        work.doorstep.add_photo(
            form_id=form.id,
            kind=photo.kind,
            file=photo.kept.file,
            secret=photo.kept.secret,
            bytes=photo.bytes,
        )
    entry = work.doorstep.entry(case.id, sent.visitor_id, filled_at - ENTRY_HOLDS)
    if entry is None:
        entry = _enter_late(work, case, sent, now, rules)
    record = _record(work, case, filled, shown, sent.condition, filled_at)
    outcome, told = _steps(work, case, sent, now, deadlines)
    form = replace(form, record_id=record.id, entry_id=entry.id, outcome=outcome)
    form = _accrue(work, form, case, rules.timebank, deadlines.timezone)
    form = replace(form, said=_said(form, told))
    work.doorstep.finish(form)
    detail = {
        "visitor_id": sent.visitor_id,
        "form_id": form.id,
        "record_id": record.id,
        "outcome": outcome.value,
        "photos": len(photos),
        "corrected": sorted(filled.corrections),
    }
    work.audit.write(now, str(actor_of(sent.visitor_id)), RECORDED, handling.subject(case), detail)
    if outcome is DoorOutcome.SUPPLEMENTARY:
        elder = handling.elder_of(work, case)
        what = "收到案件办结或改派后的补充上门记录，请查看"
        telling.tell(work, RECORDED, case, elder, [telling.DUTY, telling.WEBHOOK], what, now)
    else:
        webhooks.visit_recorded(work, record, now)
    return form, False


def _enter_late(work: Work, case: Case, sent: Sent, now: datetime, rules: Rules) -> DoorEntry:
    """The record was opened without network. A real plate that was scanned there, but far away or revoked
    since, is no ground to turn the form away: nobody can be asked any more, so the supervisor is told."""
    try:
        return enter(work, case, sent.visitor_id, sent.claim, now, rules)
    except ReasonNeeded:
        if plates.check(work, sent.claim.code, now).plate_id is None:
            raise
    return enter(work, case, sent.visitor_id, replace(sent.claim, why=UNSTATED), now, rules)


def _check(sent: Sent) -> None:
    if not sent.key or len(sent.key) > KEY_CHARS or not sent.key.isascii():
        raise BadInput("表单编号无效，请重新打开页面填写")
    if not sent.note.strip():
        raise BadInput("请填写处置情况：做了什么、老人情况如何")


def _record(
    work: Work, case: Case, filled: on_site.Filled, shown: Prefilled, condition: Risk, at: datetime
) -> VisitRecord:
    assessed = on_site.assess(filled, condition)
    baseline = on_site.baseline_after(filled, shown.before, shown.after)
    return work.records.put(
        elder_id=case.elder_id,
        plan_id=None,
        call_id=None,
        mode=VisitMode.ON_SITE,
        visited_at=at,
        fields={**filled.fields, BASELINE: baseline},
        risk=assessed.risk,
        reasons=assessed.reasons,
    )


def _steps(
    work: Work, case: Case, sent: Sent, now: datetime, deadlines: Deadlines
) -> tuple[DoorOutcome, str]:
    """What the visit does to the case; of somebody else's, or a closed one: nothing, and why."""
    actor = actor_of(sent.visitor_id)
    if case.status is CaseStatus.CLOSED or case.visitor_id != sent.visitor_id:
        return DoorOutcome.SUPPLEMENTARY, handling.who_was_first(work, case, deadlines.timezone)
    try:
        if case.status in life.UNACCEPTED:
            case = handling.handle(work, case.id, Order(CaseStep.ACCEPT, actor), now, deadlines)
        if case.status is not CaseStatus.VISITED:
            case = handling.handle(work, case.id, Order(CaseStep.VISITED, actor), now, deadlines)
        if sent.close:
            handling.handle(work, case.id, Order(CaseStep.CLOSE, actor, sent.note), now, deadlines)
    except Conflict as error:
        return DoorOutcome.SUPPLEMENTARY, str(error)
    return (DoorOutcome.CLOSED if sent.close else DoorOutcome.VISITED), ""


def _accrue(work: Work, form: DoorForm, case: Case, rules: timebank.Rules, timezone: str) -> DoorForm:
    visitor = work.visitors.get(form.visitor_id)
    if visitor is None or form.record_id is None:
        raise NotFound("没有这位巡访员")
    point = timebank.accrue(
        work,
        record_id=form.record_id,
        visitor=visitor,
        case=case,
        visited_at=form.filled_at,
        supplementary=form.outcome is DoorOutcome.SUPPLEMENTARY,
        rules=rules,
        zone=ZoneInfo(timezone),
    )
    return form if point is None else replace(form, points=point.points)


def _said(form: DoorForm, told: str) -> str:
    earned = f"；时间银行积分 +{form.points}" if form.points else ""
    match form.outcome:
        case DoorOutcome.CLOSED:
            return f"记录已保存，案件已办结{earned}"
        case DoorOutcome.VISITED:
            return f"记录已保存，案件记为已上门，办结前还需填写处置结果{earned}"
        case _:
            return f"{told}。您的表单已作为补充记录保存，督导会看到{earned}"
