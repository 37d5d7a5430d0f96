"""The worklist of benefits that elders may be entitled to (补贴线索)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Answer, Elder, SubsidyClue, VisitRecord
from storage.repository_areas import subtree
from xunfang.vocabulary import Subsidy, SubsidyStatus, zh

_clue = Shape(SubsidyClue, tables.subsidy)
_record = Shape(VisitRecord, tables.visit_record)
_elder = Shape(Elder, tables.elder)
_answer = Shape(Answer, tables.answer)


class Subsidies:
    def __init__(self, db: Db) -> None:
        self._db = db

    # ---- what there is to look at ------------------------------------------------------------------

    def records_after(self, record_id: int, limit: int) -> list[VisitRecord]:
        """By id: each is looked at once."""
        record = tables.visit_record.c
        return self._db.all(
            _record, _record.select().where(record.id > record_id).order_by(record.id).limit(limit)
        )

    def elders(self, ids: Iterable[int]) -> dict[int, Elder]:
        elder = tables.elder.c
        found = self._db.all(_elder, _elder.select().where(elder.id.in_(sorted(set(ids)))))
        return {each.id: each for each in found}

    def answers(self, call_ids: Iterable[int]) -> dict[int, list[Answer]]:
        """By call; where a supervisor corrected an answer, as he heard it."""
        wanted = sorted(set(call_ids))
        answer, correction = tables.answer.c, tables.correction.c
        said: dict[int, list[Answer]] = {}
        corrected = {
            (row[0], row[1]): row
            for row in self._db.rows(
                sa.select(correction.call_id, correction.question, correction.answer, correction.details)
                .where(correction.call_id.in_(wanted))
                .order_by(correction.id)
            )
        }
        for each in self._db.all(
            _answer,
            _answer.select().where(answer.call_id.in_(wanted)).order_by(answer.call_id, answer.question),
        ):
            heard = corrected.get((each.call_id, each.question))
            if heard is not None:
                each = replace(each, answer=heard[2], details=heard[3])
            said.setdefault(each.call_id, []).append(each)
        return said

    # ---- the worklist --------------------------------------------------------------------------------

    def found(
        self,
        *,
        elder_id: int,
        benefit: Subsidy,
        why: str,
        evidence: Iterable[Mapping[str, Any]],
        call_id: int | None,
        at: datetime,
    ) -> SubsidyClue:
        """A new clue, or the known one with the newer evidence; its status stays."""
        table = tables.subsidy
        new = self._db.insert(table).values(
            elder_id=elder_id,
            benefit=benefit,
            status=SubsidyStatus.NEW,
            why=why,
            evidence=[dict(each) for each in evidence],
            call_id=call_id,
            found_at=at,
            seen_at=at,
            decided_by="",
            decided_at=None,
            note="",
        )
        newer = {name: new.excluded[name] for name in ("why", "evidence", "call_id", "seen_at")}
        row = self._db.row(
            new.on_conflict_do_update(
                index_elements=[table.c.elder_id, table.c.benefit], set_=newer
            ).returning(*_clue.columns)
        )
        assert row is not None
        return _clue.of(row)

    def decide(
        self, seen: SubsidyClue, status: SubsidyStatus, *, by: str, at: datetime, note: str = ""
    ) -> bool:
        """False: somebody else has decided meanwhile; read it again."""
        clue = tables.subsidy
        return self._db.change_one(
            sa.update(clue)
            .where(
                clue.c.id == seen.id,
                clue.c.status == seen.status,
                clue.c.decided_at.is_not_distinct_from(seen.decided_at),
            )
            .values(status=status, decided_by=by, decided_at=at, note=note)
        )

    def get(self, id: int) -> SubsidyClue | None:
        return self._db.one(_clue, _clue.select().where(tables.subsidy.c.id == id))

    def of_elder(self, elder_id: int) -> list[SubsidyClue]:
        clue = tables.subsidy.c
        return self._db.all(_clue, _clue.select().where(clue.elder_id == elder_id).order_by(clue.id))

    def applied_for(self, elder_id: int) -> tuple[str, ...]:
        """In Chinese, for the official form."""
        return tuple(
            zh(each.benefit) for each in self.of_elder(elder_id) if each.status is SubsidyStatus.APPLIED
        )

    def page(
        self,
        *,
        status: SubsidyStatus | None = None,
        benefit: Subsidy | None = None,
        area_id: int | None = None,
        after_id: int = 0,
        limit: int = 50,
    ) -> list[SubsidyClue]:
        """By id. `area_id`: elders of this area and everything below it."""
        clue = tables.subsidy.c
        statement = _clue.select().where(clue.id > after_id)
        if status is not None:
            statement = statement.where(clue.status == status)
        if benefit is not None:
            statement = statement.where(clue.benefit == benefit)
        return self._db.all(_clue, self._inside(statement, area_id).order_by(clue.id).limit(limit))

    def counts(self, area_id: int | None = None) -> dict[SubsidyStatus, int]:
        clue = tables.subsidy.c
        statement = sa.select(clue.status, sa.func.count()).group_by(clue.status)
        return {row[0]: int(row[1]) for row in self._db.rows(self._inside(statement, area_id))}

    def said(self, clues: Sequence[SubsidyClue]) -> dict[tuple[int, str], str]:
        """(call, question) -> the words, of all answers that these clues rest on. One question."""
        places = {
            (int(each["call"]), str(each["question"]))
            for clue in clues
            for each in clue.evidence
            if "call" in each
        }
        if not places:
            return {}
        answer = tables.answer.c
        rows = self._db.rows(
            sa.select(answer.call_id, answer.question, answer.text).where(
                sa.tuple_(answer.call_id, answer.question).in_(sorted(places))
            )
        )
        return {(int(row[0]), str(row[1])): str(row[2]) for row in rows}

    def _inside(self, statement: sa.Select[Any], area_id: int | None) -> sa.Select[Any]:
        if area_id is None:
            return statement
        elder = tables.elder
        return statement.join(elder, elder.c.id == tables.subsidy.c.elder_id).where(
            elder.c.area_id.in_(sa.select(subtree(area_id).c.id))
        )
