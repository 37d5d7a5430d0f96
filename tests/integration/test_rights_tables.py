"""No table and no column is forgotten by export and erasure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr.session.transcript import judgement
from ivr.understanding import Question, understand
from storage.personal import NOT_OF_AN_ELDER, SPOKEN, TABLES, scrub
from storage.tables import metadata
from storage.types import Encrypted

pytestmark = pytest.mark.integration

BY_NAME = {each.table.name: each for each in TABLES}
LINKS = {"elder_id", "call_id", "case_id", "form_id", "plan_id", "record_id"}
COUNTED = {"question", "answer", "alert", "entries", "plea"}


def test_every_table_is_treated_or_says_why_it_holds_nothing_of_an_elder() -> None:
    assert set(metadata.tables) == set(BY_NAME) | set(NOT_OF_AN_ELDER)
    assert not set(BY_NAME) & set(NOT_OF_AN_ELDER)
    assert all(NOT_OF_AN_ELDER.values())


def test_what_points_to_an_elder_a_call_or_a_case_is_treated() -> None:
    linked = {
        table.name
        for table in metadata.tables.values()
        if LINKS & set(table.columns.keys())
        or any(key.column.table.name in ("elder", "call", "case") for key in table.foreign_keys)
    }
    assert linked - set(BY_NAME) == {"channel_lease"}  # a line of the trunk; emptied when the call ends


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_column_is_kept_emptied_or_goes_with_its_row(name: str) -> None:
    each = BY_NAME[name]
    kept, emptied, columns = set(each.kept.split()), set(each.emptied), set(each.table.columns.keys())
    inside = set(each.inside.split())
    assert kept | emptied | inside == columns
    assert not kept & emptied
    assert inside <= columns


@pytest.mark.parametrize("name", sorted(name for name, each in BY_NAME.items() if not each.gone))
def test_what_is_secret_enough_to_be_encrypted_is_never_kept_after_an_erasure(name: str) -> None:
    each = BY_NAME[name]
    secret = {column.name for column in each.table.columns if isinstance(column.type, Encrypted)}
    assert secret <= set(each.emptied)


def test_nothing_that_was_said_is_left_in_a_judgement() -> None:
    meant = replace(understand("我摔倒了起不来了", Question.EVENT), details=("x",))
    assert set(judgement(meant)) == COUNTED | set(SPOKEN.keys)


def test_a_scrubbed_detail_keeps_ids_times_and_words_of_the_vocabulary() -> None:
    detail = {
        "from": "open",
        "to": "case.closed",
        "visitor_id": 7,
        "ok": True,
        "at": "2026-11-23T09:00:00+00:00",
        "day": "2026-11-23",
        "period": "2026-W48",
        "ids": [1, 2],
    }
    assert scrub(detail) == detail
    said = {
        "note": "王桂兰摔了",
        "姓名": "x",
        "phone": "13812340001",
        "hint": "138****0001",
        "card": "11010519491231002X",
        "list": ["头晕"],
    }
    assert scrub(said) == {"note": "", "phone": "", "hint": "", "card": "", "list": [""]}
