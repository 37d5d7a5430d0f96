"""What was said in a call, and which answers it gave. Stored as they are heard."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Answer, Turn

_turn = Shape(Turn, tables.turn)
_answer = Shape(Answer, tables.answer)


class Turns:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, turn: Turn) -> bool:
        """False when this (call_id, seq) is already stored; the first one stands."""
        new = self._db.insert(tables.turn).values(**_turn.values(turn)).on_conflict_do_nothing()
        return self._db.change_one(new)

    def of(self, call_id: int) -> list[Turn]:
        turn = tables.turn.c
        return self._db.all(_turn, _turn.select().where(turn.call_id == call_id).order_by(turn.seq))


class Answers:
    def __init__(self, db: Db) -> None:
        self._db = db

    def put(self, answer: Answer) -> None:
        """The last answer to a question of one call counts."""
        table = tables.answer
        keys = ("call_id", "question")
        new = self._db.insert(table).values(**_answer.values(answer))
        changes: dict[str, Any] = {
            item.name: new.excluded[item.name] for item in fields(Answer) if item.name not in keys
        }
        self._db.change(new.on_conflict_do_update(index_elements=list(keys), set_=changes))

    def of(self, call_id: int) -> list[Answer]:
        """In the order in which they were given."""
        answer = tables.answer.c
        return self._db.all(
            _answer, _answer.select().where(answer.call_id == call_id).order_by(answer.at, answer.question)
        )

    def of_plan(self, plan_id: int) -> list[Answer]:
        """Over all calls of one visit, earlier calls first: a later answer comes after and wins in a dict."""
        answer, call = tables.answer, tables.call
        return self._db.all(
            _answer,
            _answer.select()
            .join(call, call.c.id == answer.c.call_id)
            .where(call.c.plan_id == plan_id)
            .order_by(answer.c.call_id, answer.c.at, sa.asc(answer.c.question)),
        )
