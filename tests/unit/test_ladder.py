"""The retry table: other hours, other numbers, and who is told at its end. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import hours
from scheduler.habits import Habits, Tally
from scheduler.hours import HoursConfig
from scheduler.ladder import DEFAULT_FILE, Escalate, Retry, load_ladder
from scheduler.order import number_to_dial
from storage.model import Call, Elder
from xunfang.errors import BadSettings
from xunfang.vocabulary import CallDisposition, CaseKind

pytestmark = pytest.mark.unit

HOURS = HoursConfig()
LADDER = load_ladder()
D = CallDisposition


def china(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


NINE = china(23, 9)
WEEK_END = china(30, 0)
EVENING = Habits({14: Tally(0, 6), 18: Tally(8, 8)})


def test_another_window_is_called_at_the_hour_that_was_learned() -> None:
    assert LADDER.after([D.NO_ANSWER], NINE, WEEK_END, HOURS) == Retry(china(23, 14, 30))
    assert LADDER.after([D.NO_ANSWER], NINE, WEEK_END, HOURS, (), EVENING) == Retry(china(23, 18))
    assert LADDER.after([D.NO_ANSWER] * 2, NINE, WEEK_END, HOURS, (), EVENING) == Retry(china(24, 18))


def test_a_wait_in_minutes_is_kept_whatever_was_learned() -> None:
    assert LADDER.after([D.BUSY], NINE, WEEK_END, HOURS, (), EVENING) == Retry(china(23, 9, 20))


def test_no_learned_hour_puts_a_retry_behind_the_end_of_the_period() -> None:
    ends = china(23, 17)
    assert LADDER.after([D.NO_ANSWER], NINE, ends, HOURS, (), EVENING) == Retry(china(23, 15))


_dispositions = st.sampled_from([each for each in D if each is not D.COMPLETED])
_habits = st.dictionaries(
    st.integers(0, 23), st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda p: Tally(min(p), sum(p)))
).map(Habits)


@given(st.lists(_dispositions, min_size=1, max_size=6), _habits, st.integers(0, 60 * 24 * 7 - 1))
def test_a_retry_is_inside_the_hours_and_what_is_learned_never_costs_a_call(
    calls: list[CallDisposition], known: Habits, minutes: int
) -> None:
    now = china(23, 0) + timedelta(minutes=minutes)
    plain = LADDER.after(calls, now, WEEK_END, HOURS)
    learned = LADDER.after(calls, now, WEEK_END, HOURS, (), known)
    assert type(learned) is type(plain)
    if isinstance(learned, Retry) and isinstance(plain, Retry):
        assert hours.is_open(learned.at, HOURS)
        assert plain.at <= learned.at
        assert hours.local_date(learned.at, HOURS) == hours.local_date(plain.at, HOURS)
    if isinstance(learned, Retry) and LADDER.counts(calls[-1]):
        assert learned.at < WEEK_END


# ---- the other number ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "other"),
    [
        ([], False),
        ([D.NO_ANSWER], False),
        ([D.NO_ANSWER, D.NO_ANSWER], True),
        ([D.NO_ANSWER, D.NO_ANSWER, D.BUSY], True),  # busy there: tried again there
        ([D.NO_ANSWER, D.NO_ANSWER, D.TRUNK_FAILURE], True),  # our failure: as it was meant
        ([D.TRUNK_FAILURE, D.TRUNK_FAILURE], False),
        ([D.POWERED_OFF, D.POWERED_OFF, D.VOICEMAIL, D.VOICEMAIL], False),  # and back again
    ],
)
def test_the_ladder_says_which_number_comes_next(calls: list[CallDisposition], other: bool) -> None:
    assert LADDER.other_number(calls) is other
    ended = [Call(n, 1, 1, n, "weekly_short", "h", NINE, disposition=each) for n, each in enumerate(calls)]
    two = Elder(1, "x", phone="043188880001", other_phone="13812340009")
    assert number_to_dial(two, ended, LADDER) == (two.other_phone if other else two.phone)
    assert number_to_dial(Elder(1, "x", phone="1"), ended, LADDER) == "1"


# ---- the table -----------------------------------------------------------------------------------


def test_the_contacts_stand_at_the_end_of_what_the_elder_did_not_answer() -> None:
    assert LADDER.tells_contacts(CaseKind.MISSED_CALL)
    assert LADDER.tells_contacts(CaseKind.NUMBER_PROBLEM)
    assert not LADDER.tells_contacts(CaseKind.NOT_DIALLED)
    assert not LADDER.tells_contacts(CaseKind.UNCLEAR)


def test_a_dead_number_is_a_case_at_once() -> None:
    for dead in (D.SUSPENDED, D.INVALID_NUMBER):
        assert LADDER.after([dead], NINE, WEEK_END, HOURS) == Escalate(CaseKind.NUMBER_PROBLEM)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{wait: next_day, number: other}", "{wait: next_day}", "number: other"),
        ("{wait: next_day, number: other}", "{wait: next_day, number: third}", "number: other"),
        ("{wait: next_day, number: other}", "{wait: later, number: other}", "later"),
        ("contacts: true", "contacts: maybe", "true or false"),
        ("contacts: true", "neighbours: true", "allowed keys"),
    ],
)
def test_a_wrong_step_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = DEFAULT_FILE.read_text("utf-8")
    assert old in text
    file = tmp_path / "ladder.yaml"
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BadSettings, match=says):
        load_ladder(file)


# ---- contacts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [D.NO_ANSWER, D.POWERED_OFF, D.UNREACHABLE, D.SUSPENDED, D.INVALID_NUMBER])
def test_whoever_could_not_be_reached_at_all_has_his_first_contact_asked(last: CallDisposition) -> None:
    kind = LADDER.rungs[last].escalate
    assert kind is not None
    assert len(LADDER.contact_waits([D.BUSY, last], kind)) == 1
    assert LADDER.contact_waits([last, D.TRUNK_FAILURE], kind) == LADDER.contact_waits([last], kind)


def test_whoever_was_reached_has_no_contact_asked() -> None:
    for last in (D.OTHER_PERSON, D.HUNG_UP_EARLY, D.ANSWERED_SILENT, D.BUSY, D.REJECTED):
        kind = LADDER.rungs[last].escalate
        assert kind is not None
        assert LADDER.contact_waits([last], kind) == ()
    assert LADDER.contact_waits([D.NO_ANSWER], CaseKind.REFUSAL) == (), "his will ended it, not the ladder"


def test_contacts_take_no_call_from_the_elder() -> None:
    """Three calls to him, as before; then the case, at once."""
    assert LADDER.after([D.NO_ANSWER] * 3, NINE, WEEK_END, HOURS) == Escalate(CaseKind.MISSED_CALL)
    assert LADDER.after([D.SUSPENDED], NINE, WEEK_END, HOURS) == Escalate(CaseKind.NUMBER_PROBLEM)


def test_a_county_may_ask_several_contacts_one_after_another(tmp_path: Path) -> None:
    text = DEFAULT_FILE.read_text("utf-8").replace(
        "{wait: 1m, number: contact}], escalate: number_problem",
        "{wait: 5m, number: contact}, {wait: 2h, number: contact}], escalate: number_problem",
    )
    (tmp_path / "ladder.yaml").write_text(text, "utf-8")
    ladder = load_ladder(tmp_path / "ladder.yaml")
    waits = ladder.contact_waits([D.SUSPENDED], CaseKind.NUMBER_PROBLEM)
    assert waits == (timedelta(minutes=5), timedelta(hours=2))


@pytest.mark.parametrize(
    ("retry", "says"),
    [
        ("[{wait: 1m, number: contact}, 20m]", "contacts come last"),
        ("[{wait: soon, number: contact}]", "no duration"),
        ("[{wait: 20m, number: mother}]", "contact"),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused(tmp_path: Path, retry: str, says: str) -> None:
    lines = [
        f"  busy: {{retry: {retry}, escalate: missed_call}}" if line.startswith("  busy:") else line
        for line in DEFAULT_FILE.read_text("utf-8").splitlines()
    ]
    (tmp_path / "ladder.yaml").write_text("\n".join(lines), "utf-8")
    with pytest.raises(BadSettings, match=says):
        load_ladder(tmp_path / "ladder.yaml")


def test_a_failure_of_ours_asks_nobody(tmp_path: Path) -> None:
    text = DEFAULT_FILE.read_text("utf-8").replace(
        "retry: [2m, 5m, 15m], counts: false", "retry: [2m, {wait: 1m, number: contact}], counts: false", 1
    )
    (tmp_path / "ladder.yaml").write_text(text, "utf-8")
    with pytest.raises(BadSettings, match="none of a contact"):
        load_ladder(tmp_path / "ladder.yaml")
