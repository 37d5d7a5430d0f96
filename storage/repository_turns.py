"""What was said in a call, and which answers it gave. Stored as they are heard."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage import tables
from storage.db import Db, Shape
from storage.model import Answer, Turn

_turn = Shape(Turn, tables.turn)
_answer = Shape(Answer, tables.answer)
_KEYS = ("call_id", "question")  # of an answer


class Turns:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, turn: Turn) -> bool:
        """False when this (call_id, seq) is already stored; the first one stands."""
        return self._db.change_one(_adding(self._db.dialect, "turn"), _turn.values(turn))

    def of(self, call_id: int) -> list[Turn]:
        return self._db.all(_turn, _turn.by("call_id", order=("seq",)), {"call_id": call_id})


class Answers:
    def __init__(self, db: Db) -> None:
        self._db = db

    def put(self, answer: Answer) -> None:
        """The last answer to a question of one call counts."""
        self._db.change(_adding(self._db.dialect, "answer"), _answer.values(answer))

    def of(self, call_id: int) -> list[Answer]:
        """In the order in which they were given."""
        given = _answer.by("call_id", order=("at", "question"))
        return self._db.all(_answer, given, {"call_id": call_id})

    def of_plan(self, plan_id: int) -> list[Answer]:
        """Over all calls of one visit, earlier calls first: a later answer comes after and wins in a dict."""
        return self._db.all(_answer, _OF_PLAN, {"plan": plan_id})


_OF_PLAN = (
    _answer.select()
    .join(tables.call, tables.call.c.id == tables.answer.c.call_id)
    .where(tables.call.c.plan_id == sa.bindparam("plan"))
    .order_by(tables.answer.c.call_id, tables.answer.c.at, tables.answer.c.question)
)


@cache
def _adding(dialect: str, name: str) -> sqlite.Insert | postgresql.Insert:
    """Of each engine, built once."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    if name == "turn":
        return insert(tables.turn).on_conflict_do_nothing()
    new = insert(tables.answer)
    changes = {item.name: new.excluded[item.name] for item in fields(Answer) if item.name not in _KEYS}
    return new.on_conflict_do_update(index_elements=list(_KEYS), set_=changes)
