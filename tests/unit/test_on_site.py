"""The form at the door, and what a position proves: without a database."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from records import on_site
from records.model import FORM
from visits import door_seal
from visits.doorstep import distance_m, doubt
from xunfang.errors import BadInput
from xunfang.vocabulary import Risk

CALLED = {
    each.key: "无变化" if "无变化" in each.values else "安全" if "安全" in each.values else "无"
    for each in FORM
} | {"expression": "未现场核实", "rooms": "未现场核实", "illness": "未能确认", "mobility": "较差（家属代述）"}


def by_key(rows: tuple[on_site.Row, ...]) -> dict[str, on_site.Row]:
    return {each.key: each for each in rows}


def test_only_what_the_call_did_not_settle_is_open() -> None:
    rows = on_site.rows(CALLED, {"mood": "usual"})
    assert {each.key for each in rows if each.open} == {"expression", "rooms", "illness", "advice"}
    assert "visit_mode" not in by_key(rows)


def test_a_first_visit_may_say_so_and_a_later_one_may_not() -> None:
    rows = by_key(on_site.rows(CALLED, {"mood": "bad"}))
    assert "首次记录" in rows["rooms"].choices
    assert "首次记录" not in rows["mood"].choices
    assert rows["mood"].last == "较差"


def test_a_row_left_empty_keeps_that_nobody_looked() -> None:
    rows = on_site.rows(CALLED, {})
    filled = on_site.complete(rows, {"rooms": "较差"}, {})
    assert filled.fields["expression"] == "未现场核实"
    assert filled.fields["rooms"] == "较差"
    assert filled.seen == {"rooms"}
    assert filled.corrections == {}


def test_a_correction_needs_a_reason_and_all_that_is_wrong_is_named() -> None:
    rows = on_site.rows(CALLED, {})
    with pytest.raises(BadInput, match=r"行动能力.*；.*燃气安全"):
        on_site.complete(rows, {"mobility": "较好", "gas": "还行"}, {"gas": "看过"})
    filled = on_site.complete(rows, {"mobility": "较好"}, {"mobility": "自己走来开门"})
    assert filled.corrections["mobility"] == {"was": "较差（家属代述）", "now": "较好", "why": "自己走来开门"}


def test_what_was_seen_is_compared_with_the_visit_before_the_call() -> None:
    rows = on_site.rows(CALLED, {"mobility": "usual"})
    filled = on_site.complete(rows, {"mobility": "无变化", "rooms": "较差"}, {"mobility": "走路如常"})
    after = on_site.baseline_after(filled, {"mobility": "usual"}, {"mobility": "bad", "health": "good"})
    assert after == {"mobility": "usual", "health": "good", "rooms": "bad"}
    better = on_site.complete(
        on_site.rows(CALLED, {"mobility": "bad"}), {"mobility": "较好"}, {"mobility": "x"}
    )
    assert on_site.baseline_after(better, {"mobility": "bad"}, {})["mobility"] == "usual"


def test_the_graver_of_the_visitors_word_and_of_the_form_counts() -> None:
    rows = on_site.rows(CALLED | {"mobility": "无变化"}, {})
    calm = on_site.complete(rows, {"rooms": "无变化"}, {})
    assert on_site.assess(calm, Risk.NORMAL).risk is Risk.NORMAL
    assert on_site.assess(calm, Risk.URGENT).risk is Risk.URGENT
    worse = on_site.complete(rows, {"rooms": "较差"}, {})
    assessed = on_site.assess(worse, Risk.NORMAL)
    assert assessed.risk is Risk.ATTENTION
    assert assessed.reasons == ("现场：室内环境较差",)


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert distance_m((43.0, 125.0), (44.0, 125.0)) == pytest.approx(111_195, abs=50)
    assert distance_m((43.0, 125.0), (43.0, 125.0)) == 0


def test_an_inaccurate_position_accuses_nobody() -> None:
    assert doubt(True, 900.0, 800.0, 200) == ""
    assert "900米" in doubt(True, 900.0, 20.0, 200)
    assert doubt(True, None, 0.0, 200) == "", "neither a place nor a position: the plate counts"
    assert doubt(False, 0.0, 5.0, 200) == "没有扫描门牌"


def test_what_is_sealed_opens_by_its_own_plate_only() -> None:
    sealed = door_seal.seal("7-00ff", {"needs": "助餐"})
    assert "助餐" not in sealed
    assert door_seal.open_sealed("7-00ff", sealed) == {"needs": "助餐"}
    with pytest.raises(InvalidTag):
        door_seal.open_sealed("8-00ff", sealed)
