"""An alert of the dialogue as the fact that cases are made from."""

from __future__ import annotations

from ivr.session.model import AlertRaised
from records.model import AlertFact


def fact_of(event: AlertRaised, *, relative: bool) -> AlertFact:
    """`relative`: somebody other than the elder said it."""
    return AlertFact(
        alert=event.alert,
        text=event.text,
        question=event.question,
        reasons=event.reasons,
        event=event.event,
        relative=relative,
        start_s=event.start_s,
        end_s=event.end_s,
    )
