"""What becomes of a caller who was not asked a visit (来电): danger, who stayed unknown, who was missed.

In the caller's transaction. Somebody always hears of it: a case where an elder is behind the number,
else the duty desk, which rings back.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ivr.session.model import AlertRaised, CallEnded
from ivr.session.protocol import Caller
from scheduler import rung_back
from scheduler.alerts import fact_of
from scheduler.caller import who_rings
from scheduler.policy import Policy
from storage.model import Incoming
from visits.model import ElderFacts, Outcome
from visits.rules import case_for
from visits.service import open_case
from visits.telling import DUTY, WEBHOOK
from xunfang.vocabulary import Alert, CallerKind

if TYPE_CHECKING:
    from storage import Work

ACTOR = "system"
UNRESOLVED, URGENT, REVIEW, MISSED = (
    "incoming.unresolved",
    "incoming.urgent",
    "incoming.review",
    "incoming.missed",
)


def alarmed(work: Work, row: Incoming, event: AlertRaised, policy: Policy) -> None:
    """With an elder behind the number, a case of his; else people are told: somebody must ring back."""
    work.incoming.raise_alert(row.id, event.alert)
    fact = fact_of(event, relative=row.kind is CallerKind.CONTACT)
    detail = {"alert": event.alert.value, "reasons": list(event.reasons), "event": event.event}
    work.audit.write(event.at, ACTOR, "alert.raised", f"incoming:{row.id}", detail)
    if row.elder_id is not None:
        outcome = Outcome(elder_id=row.elder_id, alerts=(fact,))
        draft = case_for(outcome, ElderFacts(), policy.deadlines, event.at)
        if draft is not None:
            open_case(work, draft, event.at)
        return
    urgent = event.alert is Alert.URGENT
    heading = "【紧急】未知来电中有人求助" if urgent else "【待复核】未知来电"
    body = f"来电记录{row.id}：号码不在台账中。请立即查看号码并回电，必要时由工作人员拨打120/110。"
    _notify(work, URGENT if urgent else REVIEW, heading, body, event.at)


def ended(work: Work, row: Incoming, event: CallEnded) -> None:
    because = "" if event.because is None else event.because.value
    work.incoming.finish(row.id, event.at, because or event.disposition.value)
    if row.kind is CallerKind.HOUSEHOLD and row.call_id is None:
        body = f"来电记录{row.id}：几位老人共用的电话打来，未能确认是哪一位。请查看号码并回电。"
        _notify(work, UNRESOLVED, "【来电】未能确认是哪位老人", body, event.at)


def missed(work: Work, caller: Caller, line: str, policy: Policy, now: datetime) -> None:
    """Nobody could answer him. An elder is dialled as soon as a line is free; a human hears of the others of
    whom we know something."""
    who = who_rings(work, caller.number)
    row = work.incoming.add(
        rang_at=now,
        kind=who.kind,
        phone=caller.number,
        elder_id=who.elder_id,
        line=line,
        missed=True,
        ended_at=now,
    )
    at_home = who.elders if who.contact is None else ()
    redialled = [rung_back.redial(work, each, now, policy) for each in at_home]
    if who.elders and not any(redialled):
        body = f"来电记录{row.id}：线路全忙，来电未能接听。请查看号码并回电。"
        _notify(work, MISSED, "【来电】未能接听", body, now)


def _notify(work: Work, kind: str, heading: str, body: str, now: datetime) -> None:
    for to in (DUTY, WEBHOOK):
        work.notices.add(kind=kind, to=to, title=heading, body=body, created_at=now)
