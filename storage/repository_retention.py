"""保存期限: what is over its period, in batches; what was erased is marked, so that a run goes on where it
was interrupted. Numbers, times and words of the vocabulary stay: indicators are counted from them.

Nothing of an elder with an open case is touched, no call that waits for its review, nothing that a hold
covers (暂停删除).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db
from storage.personal import QUOTED, SPOKEN, WRITTEN
from storage.repository_rights import without

OVER = "（原话已按保存期限删除）"  # instead of the summary of a case
NOTE_OVER = "（已按保存期限删除）"  # instead of 处置情况, which is never empty
KEPT_KINDS = ("rights.", "retention.")  # in the audit: the proof that something was erased
ALERT_RAISED = "alert.raised"
_call, _case, _record = tables.call, tables.case, tables.visit_record
_form, _entry, _photo = tables.door_form, tables.door_entry, tables.door_photo
_notice, _incoming, _audit = tables.notice, tables.incoming, tables.audit

Condition = sa.ColumnElement[bool]


def _held(elder_id: sa.Column[Any], at: sa.Column[Any]) -> Condition:
    hold = tables.legal_hold.c
    return (
        sa.select(hold.id)
        .where(
            hold.elder_id == elder_id,
            hold.released_at.is_(None),
            sa.or_(hold.covers_from.is_(None), hold.covers_from <= at),
            sa.or_(hold.covers_until.is_(None), hold.covers_until >= at),
        )
        .exists()
    )


def _needed(elder_id: sa.Column[Any], at: sa.Column[Any]) -> Condition:
    """Held, or the elder has an open case: it may rest on anything."""
    other = tables.case.alias("open_case")
    live = sa.select(other.c.id).where(other.c.elder_id == elder_id, other.c.closed_at.is_(None)).exists()
    return sa.or_(live, _held(elder_id, at))


def _in_review() -> Condition:
    review = tables.review.c
    return sa.select(review.call_id).where(review.call_id == _call.c.id, review.done_at.is_(None)).exists()


def _over_call(before: datetime) -> tuple[Condition, ...]:
    return (
        _call.c.intended_at < before,
        _call.c.ended_at.is_not(None),
        ~_needed(_call.c.elder_id, _call.c.intended_at),
        ~_in_review(),
    )


class Retention:
    """`over_*(before)` says which rows; `keys` gives a batch of their ids, `count` how many there are."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def keys(self, which: sa.Select[Any], limit: int) -> list[int]:
        return [int(row[0]) for row in self._db.rows(which.limit(limit))]

    def count(self, which: sa.Select[Any]) -> int:
        row = self._db.row(sa.select(sa.func.count()).select_from(which.order_by(None).subquery()))
        assert row is not None
        return int(row[0])

    # ---- recordings ----------------------------------------------------------------------------------

    def over_recordings(self, before: datetime) -> sa.Select[Any]:
        return (
            sa.select(_call.c.id)
            .where(
                sa.text('"call".recording IS NOT NULL AND "call".recording_erased_at IS NULL'),
                *_over_call(before),
            )
            .order_by(_call.c.intended_at)
        )

    def paths(self, ids: Sequence[int]) -> list[str]:
        return [row[0] for row in self._db.rows(sa.select(_call.c.recording).where(_call.c.id.in_(ids)))]

    def recordings_gone(self, ids: Sequence[int], now: datetime) -> None:
        """After the files are gone. The path stays: a page says that there was one."""
        self._db.change(sa.update(_call).where(_call.c.id.in_(ids)).values(recording_erased_at=now))

    # ---- what was said -------------------------------------------------------------------------------

    def over_texts(self, before: datetime) -> sa.Select[Any]:
        return (
            sa.select(_call.c.id)
            .where(sa.text('"call".texts_erased_at IS NULL'), *_over_call(before))
            .order_by(_call.c.intended_at)
        )

    def erase_texts(self, ids: Sequence[int], now: datetime) -> None:
        """Turns, answers, what supervisors wrote about them, quotes in the audit."""
        turn, answer = tables.turn, tables.answer
        correction, verdict = tables.correction, tables.verdict
        judgement = without(self._db, turn.c.judgement, SPOKEN)
        detail = without(self._db, _audit.c.detail, QUOTED)
        subjects = [f"call:{id}" for id in ids]
        for step in (
            sa.update(turn).where(turn.c.call_id.in_(ids)).values(text="", judgement=judgement),
            sa.update(answer).where(answer.c.call_id.in_(ids)).values(text="", details=()),
            sa.update(correction).where(correction.c.call_id.in_(ids)).values(why="", details=()),
            sa.update(verdict).where(verdict.c.call_id.in_(ids)).values(reason=""),
            sa.update(_audit)
            .where(_audit.c.subject.in_(subjects), _audit.c.kind == ALERT_RAISED)
            .values(detail=detail),
            sa.update(_call).where(_call.c.id.in_(ids)).values(texts_erased_at=now),
        ):
            self._db.change(step)

    def over_case_texts(self, before: datetime) -> sa.Select[Any]:
        return (
            sa.select(_case.c.id)
            .where(
                _case.c.closed_at < before,
                _case.c.texts_erased_at.is_(None),
                sa.text('"case".closed_at IS NOT NULL AND "case".note_erased_at IS NULL'),
                ~_held(_case.c.elder_id, _case.c.opened_at),
            )
            .order_by(_case.c.closed_at)
        )

    def erase_case_texts(self, ids: Sequence[int], now: datetime) -> None:
        self._db.change(
            sa.update(_case).where(_case.c.id.in_(ids)).values(summary=OVER, evidence=(), texts_erased_at=now)
        )

    def over_incoming(self, before: datetime) -> sa.Select[Any]:
        """Numbers of those who rang us."""
        held = sa.and_(_incoming.c.elder_id.is_not(None), _needed(_incoming.c.elder_id, _incoming.c.rang_at))
        return (
            sa.select(_incoming.c.id)
            .where(_incoming.c.rang_at < before, _incoming.c.phone != "", ~held)
            .order_by(_incoming.c.rang_at)
        )

    def erase_incoming(self, ids: Sequence[int], now: datetime) -> None:
        row = _incoming
        self._db.change(sa.update(row).where(row.c.id.in_(ids)).values(phone="", phone_index=None))
        detail = without(self._db, _audit.c.detail, QUOTED)
        subjects = [f"incoming:{id}" for id in ids]
        self._db.change(
            sa.update(_audit)
            .where(_audit.c.subject.in_(subjects), _audit.c.kind == ALERT_RAISED)
            .values(detail=detail)
        )

    # ---- records --------------------------------------------------------------------------------------

    def over_records(self, before: datetime) -> sa.Select[Any]:
        return (
            sa.select(_record.c.id)
            .where(
                sa.text("visit_record.erased_at IS NULL"),
                _record.c.visited_at < before,
                ~_needed(_record.c.elder_id, _record.c.visited_at),
            )
            .order_by(_record.c.visited_at)
        )

    def erase_records(self, ids: Sequence[int], now: datetime) -> None:
        values: dict[str, Any] = {"fields": {}, "reasons": (), "erased_at": now}
        self._db.change(sa.update(_record).where(_record.c.id.in_(ids)).values(**values))

    def over_notes(self, before: datetime) -> sa.Select[Any]:
        """处置情况 of closed cases."""
        return (
            sa.select(_case.c.id)
            .where(
                _case.c.closed_at < before,
                sa.text('"case".closed_at IS NOT NULL AND "case".note_erased_at IS NULL'),
                ~_held(_case.c.elder_id, _case.c.opened_at),
            )
            .order_by(_case.c.closed_at)
        )

    def erase_notes(self, ids: Sequence[int], now: datetime) -> None:
        """And what was written at each step of such a case."""
        values: dict[str, Any] = {
            "summary": OVER,
            "evidence": (),
            "visitor_why": "",
            "disposition_note": NOTE_OVER,
            "texts_erased_at": sa.func.coalesce(_case.c.texts_erased_at, sa.literal(now, _case.c.since.type)),
            "note_erased_at": now,
        }
        self._db.change(sa.update(_case).where(_case.c.id.in_(ids)).values(**values))
        subjects = [f"case:{id}" for id in ids]
        self._db.change(
            sa.update(_audit)
            .where(_audit.c.subject.in_(subjects))
            .values(detail=without(self._db, _audit.c.detail, WRITTEN))
        )

    def over_forms(self, before: datetime) -> sa.Select[Any]:
        return (
            sa.select(_form.c.id)
            .where(
                _form.c.received_at < before,
                _form.c.erased_at.is_(None),
                ~_needed(_form.c.elder_id, _form.c.received_at),
            )
            .order_by(_form.c.id)
        )

    def files_of(self, form_ids: Sequence[int]) -> list[str]:
        """Sealed photos and signatures."""
        statement = sa.select(_photo.c.file).where(_photo.c.form_id.in_(form_ids))
        return [row[0] for row in self._db.rows(statement)]

    def erase_forms(self, ids: Sequence[int], now: datetime) -> None:
        """After the files are gone."""
        self._db.change(sa.delete(_photo).where(_photo.c.form_id.in_(ids)))
        entries = sa.select(_form.c.entry_id).where(_form.c.id.in_(ids), _form.c.entry_id.is_not(None))
        self._db.change(sa.update(_entry).where(_entry.c.id.in_(entries)).values(why="", distance_m=None))
        values: dict[str, Any] = {"note": "", "corrections": "", "said": "", "erased_at": now}
        self._db.change(sa.update(_form).where(_form.c.id.in_(ids)).values(**values))

    # ---- notices and the audit --------------------------------------------------------------------------

    def over_notices(self, before: datetime) -> sa.Select[Any]:
        """Also unsent ones: after so long they tell nobody anything. They are never sent empty."""
        needed = (
            sa.select(_case.c.id)
            .where(
                _case.c.id == _notice.c.case_id,
                sa.or_(_case.c.closed_at.is_(None), _held(_case.c.elder_id, _case.c.opened_at)),
            )
            .exists()
        )
        return sa.select(_notice.c.id).where(_notice.c.created_at < before, ~needed).order_by(_notice.c.id)

    def delete_notices(self, ids: Sequence[int], now: datetime) -> None:
        self._db.change(sa.delete(_notice).where(_notice.c.id.in_(ids)))

    def over_audit(self, before: datetime) -> sa.Select[Any]:
        """Entries about an elder who is held stay with everything else of him."""
        return (
            sa.select(_audit.c.id)
            .where(
                _audit.c.at < before,
                *(_audit.c.kind.not_like(f"{kind}%") for kind in KEPT_KINDS),
                _audit.c.subject.not_in(self._held_subjects()),
            )
            .order_by(_audit.c.id)
        )

    def delete_audit(self, ids: Sequence[int], now: datetime) -> None:
        self._db.change(sa.delete(_audit).where(_audit.c.id.in_(ids)))

    def _held_subjects(self) -> sa.Select[Any]:
        hold = tables.legal_hold.c
        held = sa.select(hold.elder_id).where(hold.released_at.is_(None))

        def named(kind: str, id: sa.Column[Any], elder_id: sa.Column[Any]) -> sa.Select[Any]:
            return sa.select(sa.literal(f"{kind}:").concat(sa.cast(id, sa.String))).where(elder_id.in_(held))

        elder = tables.elder.c
        return sa.select(
            sa.union_all(
                named("elder", elder.id, elder.id),
                named("call", _call.c.id, _call.c.elder_id),
                named("case", _case.c.id, _case.c.elder_id),
                named("plan", tables.visit_plan.c.id, tables.visit_plan.c.elder_id),
            ).subquery()
        )
