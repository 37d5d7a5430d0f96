"""待复核: the queue of flagged calls, and commands for calls. Everything is set-based and keyed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Call, CallCommand, Review, ReviewFilter, ReviewRow, Tab
from storage.repository_areas import subtree
from storage.types import more_urgent
from xunfang.vocabulary import Alert, CommandKind, CommandResult, Priority, ReviewOutcome

COUNTED_AT_MOST = 1000  # a tab says 999+ beyond: counting more would cost and tell nobody anything

_review = Shape(Review, tables.review)
_command = Shape(CallCommand, tables.call_command)


def follow_elders(db: Db, elder_ids: Collection[int]) -> None:
    """They are looked after elsewhere now, and so are their calls in the queue."""
    review, elder = tables.review, tables.elder
    area = sa.select(elder.c.area_id).where(elder.c.id == review.c.elder_id).scalar_subquery()
    db.change(
        sa.update(review)
        .where(review.c.elder_id.in_(elder_ids), review.c.done_at.is_(None))
        .values(area_id=area)
    )


class Reviews:
    def __init__(self, db: Db) -> None:
        self._db = db

    # ---- into the queue and out of it ----------------------------------------------------------

    def flag(self, call: Call, priority: Priority, deadline: datetime, at: datetime) -> bool:
        """Into the queue, or graver than before. A call that was judged comes back only when it became
        graver afterwards. False: nothing changed."""
        review, elder = tables.review, tables.elder
        found = self.get(call.id)
        facts: dict[str, Any] = {
            "alert": call.alert,
            "risk": call.risk,
            "disposition": call.disposition,
        }
        if found is None:
            area = sa.select(elder.c.area_id).where(elder.c.id == call.elder_id).scalar_subquery()
            return self._db.change_one(
                self._db.insert(review)
                .values(
                    call_id=call.id,
                    elder_id=call.elder_id,
                    area_id=area,
                    priority=priority,
                    dialplan=call.dialplan,
                    called_at=call.intended_at,
                    flagged_at=at,
                    deadline=deadline,
                    **facts,
                )
                .on_conflict_do_nothing(index_elements=[review.c.call_id])
            )
        worst = more_urgent(found.priority, priority)
        if worst is not found.priority:
            facts |= {"priority": worst, "done_at": None, "done_by": None, "outcome": None}
        after = replace(found, deadline=min(found.deadline, deadline), **facts)
        if after == found:
            return False
        return self._db.change_one(
            sa.update(review).where(review.c.call_id == call.id).values(deadline=after.deadline, **facts)
        )

    def claim(self, call_id: int, login: str, at: datetime, instead_of: str | None = None) -> bool:
        """Only while it is open and claimed by exactly `instead_of` (None: by nobody)."""
        return self._change(
            call_id,
            tables.review.c.claimed_by.is_not_distinct_from(instead_of),
            claimed_by=login,
            claimed_at=at,
        )

    def release(self, call_id: int, login: str) -> bool:
        """False: it was not claimed by this person any more."""
        return self._change(call_id, tables.review.c.claimed_by == login, claimed_by=None, claimed_at=None)

    def done(self, call_id: int, by: str, outcome: ReviewOutcome, at: datetime) -> bool:
        """False: it is not in the queue."""
        return self._change(call_id, sa.true(), done_at=at, done_by=by, outcome=outcome)

    def _change(self, call_id: int, which: sa.ColumnElement[bool], **values: Any) -> bool:
        review = tables.review
        return self._db.change_one(
            sa.update(review)
            .where(review.c.call_id == call_id, review.c.done_at.is_(None), which)
            .values(**values)
        )

    # ---- looking -------------------------------------------------------------------------------

    def get(self, call_id: int) -> Review | None:
        return self._db.one(_review, _review.select().where(tables.review.c.call_id == call_id))

    def of_calls(self, call_ids: Collection[int]) -> dict[int, Review]:
        found = self._db.all(_review, _review.select().where(tables.review.c.call_id.in_(call_ids)))
        return {each.call_id: each for each in found}

    def page(
        self, which: ReviewFilter, limit: int, after: tuple[Priority, datetime, int] | None = None
    ) -> list[ReviewRow]:
        """Urgent first, then by deadline. Two statements, however long the queue is."""
        review, elder, area = tables.review, tables.elder, tables.area
        account, call = tables.account, tables.call
        wanted = sa.select(review.c.call_id).where(*_matches(which))
        if after is not None:
            columns = (review.c.priority, review.c.deadline, review.c.call_id)
            last = [
                sa.bindparam(column.name, value, type_=column.type)
                for column, value in zip(columns, after, strict=True)
            ]
            wanted = wanted.where(sa.tuple_(*columns) > sa.tuple_(*last))
        order = (review.c.priority, review.c.deadline, review.c.call_id)
        # First the keys, from the index alone; then fifty rows are joined, not the whole queue.
        keys = wanted.order_by(*order).limit(limit).subquery("keys")
        statement = (
            sa.select(
                *_review.columns,
                elder.c.name,
                elder.c.sex,
                elder.c.birth_date,
                area.c.name,
                account.c.name,
                call.c.ended_at.is_(None),
            )
            .select_from(keys)
            .join(review, review.c.call_id == keys.c.call_id)
            .join(elder, elder.c.id == review.c.elder_id)
            .join(call, call.c.id == review.c.call_id)
            .outerjoin(area, area.c.id == review.c.area_id)
            .outerjoin(account, account.c.login == review.c.claimed_by)
            .order_by(*order)
        )
        width = len(_review.columns)
        rows = self._db.rows(statement)
        quotes = self.quotes([row[0] for row in rows])
        return [
            ReviewRow(
                review=Review(*row[:width]),
                name=row[width],
                sex=row[width + 1],
                birth_date=row[width + 2],
                area=row[width + 3] or "",
                claimer=row[width + 4] or row[_review.names.index("claimed_by")] or "",
                live=bool(row[width + 5]),
                quote=quotes.get(row[0], ""),
            )
            for row in rows
        ]

    def next(self, which: ReviewFilter, but: int) -> int | None:
        """The first call in the queue that this person may begin with."""
        review = tables.review.c
        row = self._db.row(
            sa.select(review.call_id)
            .where(
                *_matches(which),
                review.call_id != but,
                sa.or_(review.claimed_by.is_(None), review.claimed_by == which.login),
            )
            .order_by(review.priority, review.deadline, review.call_id)
            .limit(1)
        )
        return None if row is None else int(row[0])

    def counts(self, which: ReviewFilter) -> dict[Tab, int]:
        """Of every tab under the same filter, none counted beyond COUNTED_AT_MOST.

        What fits below that is counted in one pass; a longer queue is asked tab by tab, from its indexes.
        """
        review = tables.review.c
        whole = replace(which, tab=Tab.ALL)
        some = (
            sa.select(review.claimed_by, review.deadline)
            .where(*_matches(whole))
            .limit(COUNTED_AT_MOST)
            .subquery()
        )

        def how_many(of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
            return sa.func.coalesce(sa.func.sum(sa.case((of, 1), else_=0)), 0)

        row = self._db.row(
            sa.select(
                how_many(some.c.claimed_by == which.login),
                how_many(some.c.claimed_by.is_(None)),
                how_many(some.c.deadline < which.soon),
                sa.func.count(),
            )
        )
        assert row is not None
        counted = dict(zip((Tab.MINE, Tab.UNCLAIMED, Tab.SOON, Tab.ALL), map(int, row), strict=True))
        if counted[Tab.ALL] < COUNTED_AT_MOST:
            return counted
        tabs = (Tab.MINE, Tab.UNCLAIMED, Tab.SOON)
        row = self._db.row(sa.select(*(self._at_most(replace(which, tab=tab)) for tab in tabs)))
        assert row is not None
        return counted | dict(zip(tabs, map(int, row), strict=True))

    def waiting(self, area_id: int | None) -> int:
        """How many wait in an area and below it, not counted beyond COUNTED_AT_MOST: one statement over the
        partial indexes of what is open, for the menu of every page."""
        review = tables.review.c
        some = sa.select(sa.literal(1)).select_from(tables.review).where(review.done_at.is_(None))
        if area_id is not None:
            some = some.where(review.area_id.in_(sa.select(subtree(area_id).c.id)))
        row = self._db.row(
            sa.select(sa.func.count()).select_from(some.limit(COUNTED_AT_MOST).subquery("some"))
        )
        return 0 if row is None else int(row[0])

    def _at_most(self, which: ReviewFilter) -> sa.ScalarSelect[int]:
        some = sa.select(sa.literal(1)).select_from(tables.review).where(*_matches(which))
        return (
            sa.select(sa.func.count()).select_from(some.limit(COUNTED_AT_MOST).subquery()).scalar_subquery()
        )

    def quotes(self, call_ids: Collection[int]) -> dict[int, str]:
        """Of each call the words of its gravest alert, the first of equals."""
        if not call_ids:
            return {}
        turn = tables.turn.c
        rows = self._db.rows(
            sa.select(turn.call_id, turn.text, turn.alert)
            .where(turn.call_id.in_(call_ids), sa.text("turn.alert <> 'none'"))
            .order_by(turn.call_id, turn.seq)
        )
        found: dict[int, tuple[bool, str]] = {}
        for call_id, text, alert in rows:
            urgent = alert is Alert.URGENT
            if call_id not in found or (urgent and not found[call_id][0]):
                found[call_id] = (urgent, text)
        return {call_id: text for call_id, (_, text) in found.items()}


def _matches(which: ReviewFilter) -> Iterable[sa.ColumnElement[bool]]:
    review = tables.review.c
    yield review.done_at.is_(None)
    if which.areas is not None:
        yield review.area_id.in_(which.areas)
    if which.tab is Tab.MINE:
        yield review.claimed_by == which.login
    elif which.tab is Tab.UNCLAIMED:
        yield review.claimed_by.is_(None)
    elif which.tab is Tab.SOON:
        yield review.deadline < which.soon
    if which.alert is not None:
        yield review.alert == which.alert
        if which.alert is Alert.URGENT:  # implied, and what the indexes begin with
            yield review.priority == Priority.URGENT
    if which.disposition is not None:
        yield review.disposition == which.disposition
    if which.dialplan:
        yield review.dialplan == which.dialplan
    if which.since is not None:
        yield review.called_at >= which.since


class CallCommands:
    """Asked by the desk, taken once by the dialler that carries the call, answered."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        kind: CommandKind,
        call_id: int | None,
        elder_id: int,
        by: str,
        at: datetime,
        number: str | None = None,
        anyway: bool = False,
    ) -> CallCommand:
        values: dict[str, Any] = {
            "kind": kind,
            "call_id": call_id,
            "elder_id": elder_id,
            "number": number,
            "anyway": anyway,
            "by": by,
            "at": at,
        }
        return self._db.add(_command, values)

    def waiting(self, dialler_id: int, since: datetime, limit: int = 20) -> list[CallCommand]:
        """For this dialler: about calls that it carries, and calls to be made, which anybody may make.
        What nobody took in time stays untaken: the page says so."""
        command, call = tables.call_command.c, tables.call.c
        return self._db.all(
            _command,
            _command.select()
            .outerjoin(tables.call, call.id == command.call_id)
            .where(
                command.taken_at.is_(None),
                command.at >= since,
                sa.or_(command.kind == CommandKind.CALL_NOW, call.dialler_id == dialler_id),
            )
            .order_by(command.at, command.id)
            .limit(limit),
        )

    def take(self, id: int, at: datetime) -> bool:
        """False: another dialler was first."""
        command = tables.call_command
        return self._db.change_one(
            sa.update(command).where(command.c.id == id, command.c.taken_at.is_(None)).values(taken_at=at)
        )

    def answer(self, id: int, result: CommandResult, new_call_id: int | None = None) -> None:
        """The number is not needed any more."""
        command = tables.call_command
        self._db.change(
            sa.update(command)
            .where(command.c.id == id)
            .values(result=result, new_call_id=new_call_id, number=None)
        )

    def of_call(self, call_id: int, limit: int = 5) -> list[CallCommand]:
        """Newest first."""
        command = tables.call_command.c
        return self._db.all(
            _command,
            _command.select().where(command.call_id == call_id).order_by(command.id.desc()).limit(limit),
        )

    def last_call_now(self, elder_id: int) -> CallCommand | None:
        """Asked on whichever page."""
        command = tables.call_command.c
        which = _command.select().where(command.elder_id == elder_id, command.kind == CommandKind.CALL_NOW)
        return self._db.one(_command, which.order_by(command.id.desc()).limit(1))
