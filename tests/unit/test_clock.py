"""Years are counted as people count them."""

from datetime import date

import pytest

from xunfang.clock import age

pytestmark = pytest.mark.unit


def test_nobody_is_a_year_older_before_the_birthday() -> None:
    born = date(1942, 11, 22)
    assert [age(born, date(2026, 11, day)) for day in (21, 22)] == [83, 84]


def test_who_was_born_on_the_leap_day_is_older_from_the_first_of_march() -> None:
    born = date(1944, 2, 29)
    assert [age(born, day) for day in (date(2026, 2, 28), date(2026, 3, 1))] == [81, 82]


def test_an_unknown_birth_date_is_no_age() -> None:
    assert age(None, date(2026, 11, 22)) is None
