"""How counts of the reports are asked: by area of the elder, absent answers as none, only ordinary plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db
from storage.repository_areas import subtree

CAMPAIGN_PERIODS = "campaign:%"
FOLLOW_UP_PERIODS = "followup:%"

Counts = dict[int | None, dict[str, int]]
"""Area of the elder (None: no area) -> name of the count -> number."""


def inside(statement: sa.Select[Any], area_id: int | None) -> sa.Select[Any]:
    """Only of an area and below it. The statement must have the table elder."""
    if area_id is None:
        return statement
    return statement.where(tables.elder.c.area_id.in_(sa.select(subtree(area_id).c.id)))


def counts(db: Db, statement: sa.Select[Any], names: Sequence[str]) -> Counts:
    """Rows of an area and its numbers, in the order of the names."""
    return {
        row[0]: {name: int(number) for name, number in zip(names, row[1:], strict=True)}
        for row in db.rows(statement)
    }


def by_word(db: Db, statement: sa.Select[Any]) -> Counts:
    """Rows of an area, a word and its number."""
    found: Counts = {}
    for area_id, word, number in db.rows(statement):
        found.setdefault(area_id, {})[str(word)] = int(number)
    return found


def flag(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """1 or 0, also where the question has no answer (NULL)."""
    return sa.case((which, 1), else_=0)


def how_many(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return total(flag(which))


def total(what: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(what), 0)


def ordinary(plan: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    """Of the cadence; campaigns and follow-ups are visits beside it."""
    return (plan.c.period.not_like(CAMPAIGN_PERIODS), plan.c.period.not_like(FOLLOW_UP_PERIODS))
