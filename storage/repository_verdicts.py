"""Verdicts on alerts and corrected answers: only ever added to, the last of a turn or question counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Correction, EntryCount, Verdict
from storage.repository_areas import subtree
from xunfang.vocabulary import Alert, ReviewVerdict

STEP_CALLS = 50_000  # calls counted in one statement, so that none of them runs for long

_verdict = Shape(Verdict, tables.verdict)
_correction = Shape(Correction, tables.correction)


class Verdicts:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        call_id: int,
        turn_seq: int,
        alert: Alert,
        verdict: ReviewVerdict,
        reason: str,
        by: str,
        at: datetime,
        entries: Iterable[str] = (),
        text: str = "",
    ) -> Verdict:
        """Of `text`, what was said, only a keyed hash is kept."""
        values: dict[str, Any] = {
            "call_id": call_id,
            "turn_seq": turn_seq,
            "alert": alert,
            "verdict": verdict,
            "reason": reason,
            "by": by,
            "at": at,
            "entries": tuple(entries),
            "text_hash": self._db.vault.text_index(text),
        }
        return self._db.add(_verdict, values)

    def get(self, id: int) -> Verdict | None:
        return self._db.one(_verdict, _verdict.select().where(tables.verdict.c.id == id))

    def of_call(self, call_id: int) -> list[Verdict]:
        """The whole history, oldest first."""
        verdict = tables.verdict.c
        return self._db.all(
            _verdict, _verdict.select().where(verdict.call_id == call_id).order_by(verdict.id)
        )

    def last_of_turn(self, call_id: int, turn_seq: int) -> Verdict | None:
        verdict = tables.verdict.c
        return self._db.one(
            _verdict,
            _verdict.select()
            .where(verdict.call_id == call_id, verdict.turn_seq == turn_seq)
            .order_by(verdict.id.desc())
            .limit(1),
        )

    def by_entry(self, since: datetime | None = None, area_id: int | None = None) -> list[EntryCount]:
        """Alerts per lexicon entry in calls since then, in this area and below, by entry id.

        An alert that rests on several entries counts for each. The database counts; what comes
        back is never longer than the lexicon and its rules.
        """
        last_call = self._db.row(sa.select(sa.func.max(tables.call.c.id)))
        newest = 0 if last_call is None or last_call[0] is None else int(last_call[0])
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for after in range(0, newest, STEP_CALLS):
            within = self._within(after, since, area_id)
            for entry, raised, confirmed, false_alarms in self._db.rows(self._raised(within)):
                for at, number in enumerate((raised, confirmed, false_alarms)):
                    counts[entry][at] += int(number)
            for entry, missed in self._db.rows(self._missed(within)):
                counts[entry][3] += int(missed)
        return [EntryCount(entry, *counts[entry]) for entry in sorted(counts)]

    def _within(self, after: int, since: datetime | None, area_id: int | None) -> sa.Select[Any]:
        """Ids of the calls of one step that are asked for."""
        call, elder = tables.call, tables.elder
        found = sa.select(call.c.id).where(call.c.id > after, call.c.id <= after + STEP_CALLS)
        if since is not None:
            found = found.where(call.c.intended_at >= since)
        if area_id is not None:
            below = sa.select(subtree(area_id).c.id)
            found = found.join(elder, elder.c.id == call.c.elder_id).where(elder.c.area_id.in_(below))
        return found

    def _raised(self, within: sa.Select[Any]) -> sa.Select[Any]:
        turn, last = tables.turn, _last_verdicts()
        entry = self._each(turn.c.judgement, "entries")

        def said(word: ReviewVerdict) -> sa.ColumnElement[int]:
            return sa.func.sum(sa.case((last.c.verdict == word, 1), else_=0))

        return (
            sa.select(
                entry.c.value,
                sa.func.count(),
                said(ReviewVerdict.CONFIRMED),
                said(ReviewVerdict.FALSE_ALARM),
            )
            .select_from(
                turn.outerjoin(
                    last, sa.and_(last.c.call_id == turn.c.call_id, last.c.turn_seq == turn.c.seq)
                ).join(entry, sa.true())
            )
            .where(sa.text("turn.alert <> 'none'"), turn.c.call_id.in_(within))
            .group_by(entry.c.value)
        )

    def _missed(self, within: sa.Select[Any]) -> sa.Select[Any]:
        last = _last_verdicts()
        entry = self._each(last.c.entries)
        return (
            sa.select(entry.c.value, sa.func.count())
            .select_from(last.join(entry, sa.true()))
            .where(last.c.verdict == ReviewVerdict.MISSED, last.c.call_id.in_(within))
            .group_by(entry.c.value)
        )

    def _each(self, column: sa.ColumnElement[Any], key: str = "") -> sa.TableValuedAlias:
        """One row for each text of the list that a JSON column holds (under `key`)."""
        if self._db.dialect == "sqlite":
            path = (f"$.{key}",) if key else ()
            return sa.func.json_each(column, *path).table_valued("value", joins_implicitly=True)
        held = column.op("->")(sa.literal_column(f"'{key}'")) if key else column
        return sa.func.jsonb_array_elements_text(held).table_valued("value", joins_implicitly=True)


def _last_verdicts() -> sa.Subquery:
    verdict, later = tables.verdict, tables.verdict.alias("later")
    overtaken = (
        sa.select(later.c.id)
        .where(
            later.c.call_id == verdict.c.call_id,
            later.c.turn_seq == verdict.c.turn_seq,
            later.c.id > verdict.c.id,
        )
        .exists()
    )
    return sa.select(verdict).where(~overtaken).subquery("last")


class Corrections:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        call_id: int,
        question: str,
        topic: str,
        answer: str,
        details: Iterable[str] = (),
        why: str,
        by: str,
        at: datetime,
    ) -> Correction:
        values: dict[str, Any] = {
            "call_id": call_id,
            "question": question,
            "topic": topic,
            "answer": answer,
            "details": tuple(details),
            "why": why,
            "by": by,
            "at": at,
        }
        return self._db.add(_correction, values)

    def of_call(self, call_id: int) -> list[Correction]:
        """The whole history, oldest first."""
        correction = tables.correction.c
        return self._db.all(
            _correction, _correction.select().where(correction.call_id == call_id).order_by(correction.id)
        )

    def last_of_call(self, call_id: int) -> dict[str, Correction]:
        """What counts, by question."""
        return {each.question: each for each in self.of_call(call_id)}
