"""What is held on one person: read it whole, put it out, keep it beyond its time (查阅、删除、暂停删除)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import AuditEntry, Case, HeldTable, LegalHold
from storage.personal import TABLES, Personal, Scrubbed, Without, audited, scrub
from storage.repository_areas import subtree
from xunfang.vocabulary import CaseStatus, ConsentPurpose, PlanStatus

_hold = Shape(LegalHold, tables.legal_hold)
_audit = Shape(AuditEntry, tables.audit)
_case = Shape(Case, tables.case)
OPEN_PLANS = (PlanStatus.DUE, PlanStatus.WAITING, PlanStatus.ON_SITE)
SOURCE = "rights.erased"


def without(db: Db, column: sa.ColumnElement[Any], keys: Without) -> sa.ColumnElement[Any]:
    """The JSON object of a column without some keys, inside the database."""
    if db.dialect == "sqlite":
        return sa.func.json_remove(column, *(f"$.{key}" for key in keys.keys))
    for key in keys.keys:
        column = column.op("-")(sa.literal(key, sa.Text))
    return column


class Rights:
    def __init__(self, db: Db) -> None:
        self._db = db

    # ---- what is held ------------------------------------------------------------------------------

    def held(self, elder_id: int) -> list[HeldTable]:
        """Every row that is held on an elder, table by table, decrypted; keys and keyed hashes left out."""
        found = []
        for each in TABLES:
            hidden = set(each.inside.split())
            columns = [column for column in each.table.columns if column.name not in hidden]
            statement = sa.select(*columns).where(each.of(elder_id)).order_by(*each.table.primary_key.columns)
            names = [column.name for column in columns]
            rows = tuple(dict(zip(names, row, strict=True)) for row in self._db.rows(statement))
            found.append(HeldTable(each.table.name, each.title, rows))
        return found

    def accessed(self, elder_id: int, kinds: Iterable[str], limit: int = 1000) -> list[AuditEntry]:
        """Who listened to, looked at or took away what is held on an elder, newest first."""
        audit = tables.audit.c
        return self._db.all(
            _audit,
            _audit.select()
            .where(audited(elder_id), audit.kind.in_(list(kinds)))
            .order_by(audit.id.desc())
            .limit(limit),
        )

    def recordings(self, elder_id: int) -> list[tuple[int, str]]:
        """Call id and path of each recording that was not erased."""
        call = tables.call.c
        statement = sa.select(call.id, call.recording).where(
            call.elder_id == elder_id, call.recording.is_not(None), call.recording_erased_at.is_(None)
        )
        return [(row[0], row[1]) for row in self._db.rows(statement.order_by(call.id))]

    def lives(self, elder_id: int) -> bool:
        """Whether a call with this elder goes on now."""
        call = tables.call.c
        return (
            self._db.row(sa.select(call.id).where(call.elder_id == elder_id, call.ended_at.is_(None)))
            is not None
        )

    # ---- erasing -----------------------------------------------------------------------------------

    def counts(self, elder_id: int) -> dict[str, int]:
        """Rows by table, those that are there."""
        found = {}
        for each in TABLES:
            row = self._db.row(sa.select(sa.func.count()).select_from(each.table).where(each.of(elder_id)))
            assert row is not None
            if row[0]:
                found[each.table.name] = int(row[0])
        return found

    def end(self, elder_id: int, now: datetime, by: str) -> dict[str, int]:
        """Nothing more is to happen with this elder: plans, calls to contacts, review, commands, the open
        case, plate, consents, sessions of the family."""
        plan, review, command = tables.visit_plan, tables.review, tables.call_command
        case, plate, session = tables.case, tables.plate, tables.web_session
        contact = tables.contact_call
        accounts = sa.select(tables.account.c.id).where(_of(tables.account)(elder_id))
        steps: dict[str, sa.Update | sa.Delete] = {
            "plans": sa.update(plan)
            .where(plan.c.elder_id == elder_id, plan.c.status.in_(OPEN_PLANS))
            .values(status=PlanStatus.PAUSED, next_attempt_at=None),
            "contact_calls": sa.update(contact)
            .where(contact.c.elder_id == elder_id, contact.c.status == PlanStatus.WAITING)
            .values(status=PlanStatus.PAUSED, next_attempt_at=None),
            "reviews": sa.update(review)
            .where(review.c.elder_id == elder_id, review.c.done_at.is_(None))
            .values(done_at=now, done_by=by),
            "commands": sa.update(command)
            .where(command.c.elder_id == elder_id, command.c.taken_at.is_(None))
            .values(taken_at=now),
            "cases": sa.update(case)
            .where(case.c.elder_id == elder_id, case.c.closed_at.is_(None))
            .values(status=CaseStatus.CLOSED, closed_at=now, disposition_note=SOURCE, next_look_at=None),
            "plates": sa.update(plate)
            .where(plate.c.elder_id == elder_id, plate.c.revoked_at.is_(None))
            .values(revoked_at=now, revoked_by=by),
            "sessions": sa.update(session)
            .where(session.c.account_id.in_(accounts), session.c.ended_at.is_(None))
            .values(ended_at=now),
        }
        return {name: self._db.change(step) for name, step in steps.items()} | {
            "consents": self._withdraw(elder_id, now)
        }

    def _withdraw(self, elder_id: int, now: datetime) -> int:
        """For every purpose whose last word is not a no."""
        consent = tables.consent
        rows = self._db.rows(
            sa.select(consent.c.purpose, consent.c.granted)
            .where(consent.c.elder_id == elder_id)
            .order_by(consent.c.at, consent.c.id)
        )
        last = {row[0]: row[1] for row in rows}
        wanted = [each for each in ConsentPurpose if last.get(each) is not False]
        for purpose in wanted:
            values = {"elder_id": elder_id, "purpose": purpose, "granted": False, "at": now, "source": SOURCE}
            self._db.change(sa.insert(consent).values(**values))
        return len(wanted)

    def erase(self, elder_id: int, now: datetime) -> dict[str, int]:
        """Empty or delete all rows of an elder, as storage.personal says. Rows touched by table.
        Repeating it changes nothing more."""
        done = {}
        for each in TABLES:
            count = self._erase(each, elder_id)
            if count:
                done[each.table.name] = count
        call, case, record = tables.call, tables.case, tables.visit_record
        form = tables.door_form
        for table, names in (
            (call, ("recording_erased_at", "texts_erased_at")),
            (case, ("texts_erased_at", "note_erased_at")),
            (record, ("erased_at",)),
            (form, ("erased_at",)),
        ):
            values = {
                name: sa.func.coalesce(table.c[name], sa.literal(now, table.c[name].type)) for name in names
            }
            self._db.change(sa.update(table).where(table.c.elder_id == elder_id).values(**values))
        return done

    def _erase(self, each: Personal, elder_id: int) -> int:
        if each.gone:
            return self._db.change(sa.delete(each.table).where(each.of(elder_id)))
        if not each.emptied:
            return 0
        values: dict[str, Any] = {}
        for name, value in each.emptied.items():
            if isinstance(value, Without):
                values[name] = without(self._db, each.table.c[name], value)
            elif isinstance(value, Scrubbed):
                self._scrub(each, name, value, elder_id)
            else:
                values[name] = value
        if not values:
            return 0
        return self._db.change(sa.update(each.table).where(each.of(elder_id)).values(**values))

    def _scrub(self, each: Personal, name: str, how: Scrubbed, elder_id: int) -> None:
        (key,) = each.table.primary_key.columns
        ours = each.table.c.kind.like(f"{how.spared}%")
        for row in self._db.rows(sa.select(key, each.table.c[name]).where(each.of(elder_id), ~ours)):
            clean = scrub(row[1])
            if clean != row[1]:
                self._db.change(sa.update(each.table).where(key == row[0]).values(**{name: clean}))

    def left(self, elder_id: int) -> list[Case]:
        """Open cases of the elder."""
        case = tables.case.c
        return self._db.all(_case, _case.select().where(case.elder_id == elder_id, case.closed_at.is_(None)))

    # ---- 暂停删除 ------------------------------------------------------------------------------------

    def hold(
        self,
        *,
        elder_id: int,
        why: str,
        by: str,
        placed_at: datetime,
        case_id: int | None = None,
        covers_from: datetime | None = None,
        covers_until: datetime | None = None,
    ) -> LegalHold:
        values: dict[str, Any] = {
            "elder_id": elder_id,
            "case_id": case_id,
            "covers_from": covers_from,
            "covers_until": covers_until,
            "why": why,
            "by": by,
            "placed_at": placed_at,
            "released_at": None,
            "released_by": "",
        }
        return self._db.add(_hold, values)

    def release(self, id: int, at: datetime, by: str) -> bool:
        """False: not there, or released before."""
        hold = tables.legal_hold
        return self._db.change_one(
            sa.update(hold)
            .where(hold.c.id == id, hold.c.released_at.is_(None))
            .values(released_at=at, released_by=by)
        )

    def get_hold(self, id: int) -> LegalHold | None:
        return self._db.one(_hold, _hold.select().where(tables.legal_hold.c.id == id))

    def holds(self, elder_ids: Iterable[int] | None = None, area_id: int | None = None) -> list[LegalHold]:
        """Those that hold now, oldest first; of all elders, or of some, or of an area with all below it."""
        hold = tables.legal_hold.c
        statement = _hold.select().where(hold.released_at.is_(None)).order_by(hold.id)
        if elder_ids is not None:
            statement = statement.where(hold.elder_id.in_(list(elder_ids)))
        if area_id is not None:
            elder = tables.elder.c
            below = elder.area_id.in_(sa.select(subtree(area_id).c.id))
            statement = statement.where(hold.elder_id.in_(sa.select(elder.id).where(below)))
        return self._db.all(_hold, statement)


def _of(table: sa.Table) -> Any:
    return next(each.of for each in TABLES if each.table is table)
