"""Read models of the live wall, the duty screen, the callers and the visit queue. Each question is one
or two statements, whatever the length of the list."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import FOREVER, Db, Shape
from storage.model import AuditEntry, Call, Case, Incoming, Visitor
from storage.model.wall import CallerRow, CaseFilter, CaseRow, CaseTab, LiveCall, Ringing, VillageRow
from storage.repository_areas import subtree
from xunfang.vocabulary import Alert, CaseStatus, Priority

COUNTED_AT_MOST = 1000  # a tab says 999+ beyond

_call = Shape(Call, tables.call)
_case = Shape(Case, tables.case)
_incoming = Shape(Incoming, tables.incoming)
_visitor = Shape(Visitor, tables.visitor)
_audit = Shape(AuditEntry, tables.audit)

WAITING = (CaseStatus.OPEN, CaseStatus.ASSIGNED)
UNVISITED = (*WAITING, CaseStatus.ACCEPTED, CaseStatus.ON_THE_WAY)
CaseKey = tuple[Priority, datetime, int]


class Wall:
    def __init__(self, db: Db) -> None:
        self._db = db

    def live_calls(self, area_id: int | None, limit: int) -> list[LiveCall]:
        """Calls in progress, those with an urgent alert first, then the longest; two statements."""
        call, elder, area, turn = tables.call.c, tables.elder.c, tables.area.c, tables.turn.c
        statement = (
            sa.select(*_call.columns, elder.name, elder.sex, area.name)
            .join(tables.elder, elder.id == call.elder_id)
            .outerjoin(tables.area, area.id == elder.area_id)
            .where(call.ended_at.is_(None), *_inside(area_id))
            .order_by(sa.case((call.alert == Alert.URGENT, 0), else_=1), call.id)
            .limit(limit)
        )
        width = len(_call.columns)
        rows = self._db.rows(statement)
        last = (
            sa.select(turn.call_id, sa.func.max(turn.seq).label("seq"))
            .where(turn.call_id.in_([row[0] for row in rows]))
            .group_by(turn.call_id)
            .subquery("last")
        )
        said = self._db.rows(
            sa.select(turn.call_id, turn.speaker, turn.text).join(
                last, sa.and_(last.c.call_id == turn.call_id, last.c.seq == turn.seq)
            )
        )
        words = {row[0]: (None, "") for row in rows} | {row[0]: (row[1], row[2]) for row in said}
        return [
            LiveCall(Call(*row[:width]), row[width], row[width + 1], row[width + 2] or "", *words[row[0]])
            for row in rows
        ]

    def callers(self, area_id: int | None, unknown: bool, before_id: int, limit: int) -> list[CallerRow]:
        """来电, newest first. Of an area: who is known to belong there, also by a shared number.
        `unknown`: with callers who belong nowhere."""
        row, elder, area = tables.incoming.c, tables.elder.c, tables.area.c
        statement = (
            sa.select(*_incoming.columns, elder.name, elder.sex, area.name)
            .select_from(tables.incoming)
            .outerjoin(tables.elder, elder.id == row.elder_id)
            .outerjoin(tables.area, area.id == elder.area_id)
            .where(row.id < (before_id or FOREVER))
        )
        if area_id is not None:
            here = sa.select(subtree(area_id).c.id)
            same = tables.elder.alias("same")
            shares = (
                sa.exists()
                .where(
                    sa.or_(same.c.phone_index == row.phone_index, same.c.other_phone_index == row.phone_index)
                )
                .correlate(tables.incoming)
            )
            theirs = [
                elder.area_id.in_(here),
                sa.and_(row.elder_id.is_(None), shares.where(same.c.area_id.in_(here))),
            ]
            if unknown:
                theirs.append(sa.and_(row.elder_id.is_(None), ~shares))
            statement = statement.where(sa.or_(*theirs))
        width = len(_incoming.columns)
        found = self._db.rows(statement.order_by(row.id.desc()).limit(limit))
        return [
            CallerRow(Incoming(*each[:width]), *(text or "" for text in each[width : width + 3]))
            for each in found
        ]

    def unaccepted(self, area_id: int | None, limit: int) -> list[Ringing]:
        """Urgent cases that no visitor has accepted, the nearest deadline first."""
        case, elder, area, visitor = tables.case.c, tables.elder.c, tables.area.c, tables.visitor.c
        statement = (
            sa.select(*_case.columns, elder.name, elder.sex, area.name, visitor.name)
            .join(tables.elder, elder.id == case.elder_id)
            .outerjoin(tables.area, area.id == elder.area_id)
            .outerjoin(tables.visitor, visitor.id == case.visitor_id)
            .where(
                case.closed_at.is_(None),
                case.priority == Priority.URGENT,
                case.status.in_(WAITING),
                *_inside(area_id),
            )
            .order_by(case.deadline, case.id)
            .limit(limit)
        )
        width = len(_case.columns)
        return [
            Ringing(Case(*row[:width]), *(text or "" for text in row[width : width + 4]))
            for row in self._db.rows(statement)
        ]

    def told_of(self, case_ids: Collection[int], kinds: Collection[str]) -> dict[int, list[AuditEntry]]:
        """Entries of these kinds about these cases, oldest first: one statement."""
        if not case_ids:
            return {}
        audit = tables.audit.c
        names = {f"case:{id}": id for id in case_ids}
        entries = self._db.all(
            _audit,
            _audit.select().where(audit.subject.in_(names), audit.kind.in_(kinds)).order_by(audit.id),
        )
        found: dict[int, list[AuditEntry]] = {id: [] for id in case_ids}
        for each in entries:
            found[names[each.subject]].append(each)
        return found

    def hold_case(self, case_id: int) -> Case | None:
        """Until this transaction ends nobody else decides about it."""
        case = tables.case.c
        return self._db.one(_case, _case.select().where(case.id == case_id).with_for_update())


class CaseLists:
    """上门队列 as lists."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def page(self, which: CaseFilter, limit: int, after: CaseKey | None = None) -> list[CaseRow]:
        """Open ones urgent first, then by deadline; closed ones newest first (of `after` the id counts)."""
        case, elder, area, visitor = tables.case.c, tables.elder.c, tables.area.c, tables.visitor.c
        wanted = sa.select(case.id).where(*_matches(which))
        order: tuple[sa.ColumnElement[Any], ...] = (case.priority, case.deadline, case.id)
        if which.tab is CaseTab.CLOSED:
            order = (case.id.desc(),)
            if after is not None:
                wanted = wanted.where(case.id < after[2])
        elif after is not None:
            columns = (case.priority, case.deadline, case.id)
            wanted = wanted.where(sa.tuple_(*columns) > _key(columns, after))
        # First the keys, along the index; then fifty rows are joined, not the whole queue.
        keys = wanted.order_by(*order).limit(limit).subquery("keys")
        statement = (
            sa.select(
                *_case.columns, elder.name, elder.sex, elder.phone, elder.area_id, area.name, visitor.name
            )
            .select_from(keys)
            .join(tables.case, case.id == keys.c.id)
            .join(tables.elder, elder.id == case.elder_id)
            .outerjoin(tables.area, area.id == elder.area_id)
            .outerjoin(tables.visitor, visitor.id == case.visitor_id)
            .order_by(*order)
        )
        width = len(_case.columns)
        return [
            CaseRow(
                Case(*row[:width]),
                name=row[width],
                sex=row[width + 1],
                phone=row[width + 2],
                area_id=row[width + 3],
                area=row[width + 4] or "",
                visitor=row[width + 5] or "",
            )
            for row in self._db.rows(statement)
        ]

    def counts(self, which: CaseFilter) -> dict[CaseTab, int]:
        """Of the tabs of what is open under the same filter, none beyond COUNTED_AT_MOST: one statement.
        Closed ones are not counted: they are all that ever was, and the number tells nobody anything."""
        areas = None if which.area_id is None else subtree(which.area_id)
        tabs = [tab for tab in CaseTab if tab is not CaseTab.CLOSED]
        numbers = []
        for tab in tabs:
            some = (
                sa.select(sa.literal(1))
                .select_from(tables.case)
                .where(*_matches(replace(which, tab=tab), areas))
                .limit(COUNTED_AT_MOST)
            )
            numbers.append(sa.select(sa.func.count()).select_from(some.subquery()).scalar_subquery())
        row = self._db.row(sa.select(*numbers))
        assert row is not None
        return {tab: int(row[at]) for at, tab in enumerate(tabs)}

    def by_village(
        self, which: CaseFilter, now: datetime, limit: int, after: CaseKey | None = None
    ) -> list[VillageRow]:
        """Areas with open cases, the worst first. Key: (worst priority, nearest deadline, area id or 0)."""
        case, elder, area = tables.case.c, tables.elder.c, tables.area.c
        above = tables.area.alias("above")

        def how_many(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
            return sa.func.sum(sa.case((condition, 1), else_=0))

        worst, nearest = sa.func.min(case.priority), sa.func.min(case.deadline)
        place = sa.func.coalesce(elder.area_id, 0)
        statement = (
            sa.select(
                elder.area_id,
                area.name,
                above.c.name,
                sa.func.count(),
                how_many(case.priority == Priority.URGENT),
                how_many(sa.and_(case.deadline < now, case.status.in_(UNVISITED))),
                how_many(case.visitor_id.is_(None)),
                worst,
                nearest,
            )
            .select_from(tables.case)
            .join(tables.elder, elder.id == case.elder_id)
            .outerjoin(tables.area, area.id == elder.area_id)
            .outerjoin(above, above.c.id == area.parent_id)
            .where(*_matches(replace(which, area_id=None)), *_inside(which.area_id))
            .group_by(elder.area_id, area.name, above.c.name)
        )
        order = (worst, nearest, place)
        if after is not None:
            statement = statement.having(
                sa.tuple_(*order) > _key((case.priority, case.deadline, case.id), after)
            )
        rows = self._db.rows(statement.order_by(*order).limit(limit))
        return [
            VillageRow(
                area_id=row[0],
                name=row[1] or "",
                above=row[2] or "",
                open=int(row[3]),
                urgent=int(row[4]),
                late=int(row[5]),
                nobody=int(row[6]),
                worst=row[7],
                deadline=row[8],
            )
            for row in rows
        ]

    def visitors(self, area_id: int | None, limit: int) -> list[Visitor]:
        """Who may be sent anywhere in this area: active, and not only for one elder."""
        visitor = tables.visitor.c
        statement = _visitor.select().where(visitor.active.is_(True), visitor.elder_id.is_(None))
        if area_id is not None:
            statement = statement.where(visitor.area_id.in_(sa.select(subtree(area_id).c.id)))
        return self._db.all(_visitor, statement.order_by(visitor.id).limit(limit))

    def visitor_names(self, ids: Collection[int]) -> dict[int, str]:
        visitor = tables.visitor.c
        rows = self._db.rows(sa.select(visitor.id, visitor.name).where(visitor.id.in_(ids))) if ids else ()
        return {row[0]: row[1] for row in rows}

    def account_names(self, logins: Collection[str]) -> dict[str, str]:
        account = tables.account.c
        found = sa.select(account.login, account.name).where(account.login.in_(logins))
        return {row[0]: row[1] for row in (self._db.rows(found) if logins else ())}


def _key(columns: Iterable[sa.Column[Any]], after: CaseKey) -> sa.ColumnElement[Any]:
    return sa.tuple_(
        *(
            sa.bindparam(f"after_{column.name}", value, type_=column.type)
            for column, value in zip(columns, after, strict=True)
        )
    )


def _inside(area_id: int | None) -> Iterable[sa.ColumnElement[bool]]:
    """Of elders of an area; the elder is joined."""
    if area_id is not None:
        yield tables.elder.c.area_id.in_(sa.select(subtree(area_id).c.id))


def _matches(which: CaseFilter, areas: sa.CTE | None = None) -> Iterable[sa.ColumnElement[bool]]:
    """`areas`: the subtree, where one statement needs it several times. The area is asked of each case in
    the order of the queue (a correlated EXISTS), so that a page ends when it is full."""
    case, elder = tables.case.c, tables.elder.c
    yield case.closed_at.is_not(None) if which.tab is CaseTab.CLOSED else case.closed_at.is_(None)
    if which.area_id is not None:
        below = subtree(which.area_id) if areas is None else areas
        inside = elder.area_id.in_(sa.select(below.c.id))
        yield sa.exists().where(elder.id == case.elder_id, inside).correlate(tables.case)
    if which.tab is CaseTab.WAITING:
        yield case.status.in_(WAITING)
    elif which.tab is CaseTab.UNDER_WAY:
        yield case.status.not_in(WAITING)
    elif which.tab is CaseTab.LATE:
        yield sa.and_(case.status.in_(UNVISITED), case.deadline < which.soon)
    if which.priority is not None:
        yield case.priority == which.priority
    if which.kind is not None:
        yield case.kind == which.kind
    if which.status is not None:
        yield case.status == which.status
    if which.nobody:
        yield case.visitor_id.is_(None)
    elif which.visitor_id is not None:
        yield case.visitor_id == which.visitor_id
