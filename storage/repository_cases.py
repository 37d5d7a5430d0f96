"""上门队列: the queue of cases for which somebody has to go and see.

A case is open until it is closed with a note (处置情况). An elder has at most one open case
(a partial unique index); later reasons are merged into it. Assigned, visited and referred
cases are still open: only a human's note ends one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import FOREVER, Db, Shape
from storage.model import Case
from storage.types import more_urgent
from xunfang.errors import BadInput, StorageError
from xunfang.vocabulary import CaseKind, CaseStatus, Priority

_case = Shape(Case, tables.case)

# What the steps of a case's life write; reasons, priority and deadline belong to `open` and `merge`.
_LIFE = (
    "status",
    "visitor_id",
    "visitor_why",
    "since",
    "level",
    "level_since",
    "reminded_at",
    "asked",
    "visited_at",
    "referred_to",
    "report_category",
    "disposition_note",
    "closed_at",
)

_OPEN_FOR = _case.select().where(
    tables.case.c.elder_id == sa.bindparam("elder"), tables.case.c.closed_at.is_(None)
)
_TO_LOOK_AT = (
    _case.select()
    .where(tables.case.c.closed_at.is_(None), tables.case.c.next_look_at <= sa.bindparam("now"))
    .order_by(tables.case.c.next_look_at, tables.case.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


class Cases:
    def __init__(self, db: Db) -> None:
        self._db = db

    def open(
        self,
        *,
        elder_id: int,
        kind: CaseKind,
        priority: Priority,
        opened_at: datetime,
        deadline: datetime,
        summary: str = "",
        evidence: Iterable[Mapping[str, Any]] = (),
        call_id: int | None = None,
        visitor_id: int | None = None,
        visitor_why: str = "",
        status: CaseStatus = CaseStatus.OPEN,
    ) -> Case:
        """Raises StorageError when the elder already has an open case; the transaction stays usable."""
        values: dict[str, Any] = {
            "elder_id": elder_id,
            "kind": kind,
            "priority": priority,
            "status": status,
            "opened_at": opened_at,
            "deadline": deadline,
            "summary": summary,
            "evidence": [dict(item) for item in evidence],
            "call_id": call_id,
            "visitor_id": visitor_id,
            "visitor_why": visitor_why,
            "merged": 0,
            "disposition_note": "",
            "next_look_at": opened_at,
        }
        table = tables.case
        row = self._db.row(
            self._db.insert(table)
            .values(**values)
            .on_conflict_do_nothing(index_elements=[table.c.elder_id], index_where=tables.STILL_OPEN)
            .returning(*_case.columns)
        )
        if row is None:
            raise StorageError(f"elder {elder_id} already has an open case: merge into it (open_for, merge)")
        return _case.of(row)

    def merge(
        self,
        id: int,
        *,
        kind: CaseKind,
        priority: Priority,
        deadline: datetime,
        evidence: Iterable[Mapping[str, Any]] = (),
        summary: str = "",
    ) -> Case:
        """A further reason for an open case.

        `kind` and `summary` are taken as given (the caller chose them from both reasons; an
        empty summary keeps the old one). Evidence is appended. Priority only rises and the
        deadline only comes nearer, so a merge never makes anybody wait longer.
        Raises StorageError when the case was closed meanwhile: open a new one.
        """
        case = tables.case
        found = self._db.one(
            _case, _case.select().where(case.c.id == id, case.c.closed_at.is_(None)).with_for_update()
        )
        if found is None:
            raise StorageError(f"case {id} is no longer open: open a new one")
        row = self._db.row(
            sa.update(case)
            .where(case.c.id == id)
            .values(
                kind=kind,
                priority=more_urgent(found.priority, priority),
                deadline=min(found.deadline, deadline),
                evidence=[*found.evidence, *(dict(item) for item in evidence)],
                summary=summary or found.summary,
                merged=found.merged + 1,
                next_look_at=case.c.opened_at,  # at once: what is more urgent is awaited sooner
            )
            .returning(*_case.columns)
        )
        assert row is not None
        return _case.of(row)

    def open_for(self, elder_id: int) -> Case | None:
        return self._db.one(_case, _OPEN_FOR, {"elder": elder_id})

    def get(self, id: int) -> Case | None:
        return self._db.one(_case, _case.by("id"), {"id": id})

    def queue(self, limit: int = 100, after: Case | None = None) -> list[Case]:
        """Open cases, urgent first, then by deadline. `after`: the last case of the page before."""
        case = tables.case.c
        statement = _case.select().where(case.closed_at.is_(None))
        if after is not None:
            last = sa.tuple_(
                sa.bindparam("priority", after.priority, type_=case.priority.type),
                sa.bindparam("deadline", after.deadline, type_=case.deadline.type),
                sa.bindparam("id", after.id, type_=case.id.type),
            )
            statement = statement.where(sa.tuple_(case.priority, case.deadline, case.id) > last)
        return self._db.all(_case, statement.order_by(case.priority, case.deadline, case.id).limit(limit))

    def of_elder(self, elder_id: int, limit: int = 100, before_id: int = FOREVER) -> list[Case]:
        """Open and closed, newest first."""
        case = tables.case.c
        return self._db.all(
            _case,
            _case.select()
            .where(case.elder_id == elder_id, case.id < before_id)
            .order_by(case.id.desc())
            .limit(limit),
        )

    def set_visitor(self, id: int, visitor_id: int | None, why: str) -> bool:
        """False when the case is not open."""
        return self._change_open(id, {"visitor_id": visitor_id, "visitor_why": why})

    def set_status(self, id: int, status: CaseStatus, expected: CaseStatus) -> bool:
        """Only from the expected status; False: somebody else was first. Closing needs `close`."""
        if status is CaseStatus.CLOSED:
            raise BadInput("a case is closed with its 处置情况: use close(id, note, at)")
        return self._change_open(id, {"status": status}, tables.case.c.status == expected)

    def close(self, id: int, note: str, at: datetime) -> bool:
        """False when it was already closed. Raises BadInput without a note (处置情况)."""
        if not note.strip():
            raise BadInput("处置情况 is mandatory: say what was done before closing the case")
        values = {"status": CaseStatus.CLOSED, "disposition_note": note.strip(), "closed_at": at}
        return self._change_open(id, values)

    def to_look_at(self, now: datetime, limit: int = 100) -> list[Case]:
        """Open cases whose reminders must be thought of, longest waiting first."""
        return self._db.all(_case, _TO_LOOK_AT, {"now": now, "most": limit})

    def advance(self, seen: Case, becomes: Case, look_at: datetime) -> bool:
        """One step of the case's life: write the fields in which `becomes` differs from `seen`.

        Only while the case is open and has still the status, the visitor and (of what is written)
        the values of `seen`. False: somebody else was first; read it again. `look_at`: when
        reminders must be thought of next. Raises BadInput when it would close without a note.
        """
        if becomes.status is CaseStatus.CLOSED and not becomes.disposition_note.strip():
            raise BadInput("处置情况 is mandatory: say what was done before closing the case")
        case = tables.case
        changed = {name: new for name in _LIFE if (new := getattr(becomes, name)) != getattr(seen, name)}
        unchanged = {"status", "visitor_id", *changed} - {"asked"}  # `asked` only ever changes with them
        return self._change_open(
            seen.id,
            changed | {"next_look_at": look_at},
            *(case.c[name].is_not_distinct_from(getattr(seen, name)) for name in sorted(unchanged)),
        )

    def _change_open(self, id: int, values: dict[str, Any], *which: sa.ColumnElement[bool]) -> bool:
        case = tables.case
        return self._db.change_one(
            sa.update(case).where(case.c.id == id, case.c.closed_at.is_(None), *which).values(**values)
        )
