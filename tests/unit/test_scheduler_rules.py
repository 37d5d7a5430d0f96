"""Hours, caps, ladder, periods, eligibility, admission: the pure rules of the scheduler."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.dialogue.model import Because
from scheduler import hours
from scheduler.admission import Admission, AdmissionConfig
from scheduler.caps import CapsConfig, allowed_at
from scheduler.hours import HoursConfig
from scheduler.ladder import DEFAULT_FILE, Done, Escalate, Retry, load_ladder
from scheduler.order import OrderConfig, answered_before, call_order, recording_path
from scheduler.planning import Way, eligible, is_paused, period_bounds, period_key
from scheduler.policy import Policy
from scheduler.verdict import Ended, judge
from storage.model import Answer, Call, Elder
from xunfang.errors import BadSettings
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    Cadence,
    CallDisposition,
    CaseKind,
    PlanStatus,
    VisitMode,
)

pytestmark = pytest.mark.unit

HOURS = HoursConfig()
LADDER = load_ladder()
WEEK_END = datetime(2026, 11, 29, 16, 0, tzinfo=UTC)


def china(day: int, hour: int, minute: int = 0) -> datetime:
    """November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


NINE = china(23, 9)

# ---- hours -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "minute", "opened"),
    [
        (8, 29, False),
        (8, 30, True),
        (11, 29, True),
        (11, 30, False),
        (14, 29, False),
        (14, 30, True),
        (19, 30, False),
        (0, 0, False),
    ],
)
def test_calls_are_made_inside_the_windows_only(hour: int, minute: int, opened: bool) -> None:
    assert hours.is_open(china(23, hour, minute), HOURS) is opened


def test_an_elders_own_hours_replace_the_countys() -> None:
    assert not hours.is_open(NINE, HOURS, ("15:00-16:00",))
    assert hours.next_opening(NINE, HOURS, ("15:00-16:00",)) == china(23, 15)


def test_what_may_not_be_called_now_is_deferred_to_the_next_opening() -> None:
    assert hours.next_opening(NINE, HOURS) == NINE
    assert hours.next_opening(china(23, 12), HOURS) == china(23, 14, 30)
    assert hours.next_opening(china(23, 20), HOURS) == china(24, 8, 30)


def test_another_window_and_another_day() -> None:
    assert hours.next_window(NINE, HOURS) == china(23, 14, 30)
    assert hours.next_window(china(23, 15), HOURS) == china(24, 8, 30)
    assert hours.next_day(NINE, HOURS) == china(24, 8, 30)


def test_a_closed_day_is_skipped() -> None:
    closed = HoursConfig(closed=frozenset({date(2026, 11, 23), date(2026, 11, 24)}))
    assert not hours.is_open(NINE, closed)
    assert hours.next_opening(NINE, closed) == china(25, 8, 30)


def test_the_whole_day_can_be_open() -> None:
    always = HoursConfig(windows=("00:00-24:00",))
    assert hours.is_open(china(23, 23, 59), always)
    assert hours.next_opening(china(23, 3), always) == china(23, 3)


@pytest.mark.parametrize("wrong", ["8-9", "08:30", "11:00-10:00", "25:00-26:00", "09:00-09:00", ""])
def test_hours_that_are_not_understood_are_refused(wrong: str) -> None:
    with pytest.raises(BadSettings, match="08:30-11:30"):
        hours.is_open(NINE, HoursConfig(windows=(wrong,)))


def test_overlapping_hours_are_refused() -> None:
    with pytest.raises(BadSettings, match="overlap"):
        hours.is_open(NINE, HoursConfig(windows=("08:00-10:00", "09:00-11:00")))


def test_hours_that_never_open_are_an_error_and_no_endless_search() -> None:
    with pytest.raises(BadSettings, match="no calling hours"):
        hours.next_opening(NINE, HoursConfig(windows=()))


@given(minutes=st.integers(0, 60 * 24 * 14), window=st.integers(0, 22))
def test_the_next_opening_is_open_and_nothing_before_it_is(minutes: int, window: int) -> None:
    now = NINE + timedelta(minutes=minutes)
    own = (f"{window:02d}:15-{window + 1:02d}:45",)
    opening = hours.next_opening(now, HOURS, own)
    assert hours.is_open(opening, HOURS, own)
    assert opening >= now
    before = opening - timedelta(minutes=1)
    assert before < now or not hours.is_open(before, HOURS, own)


# ---- caps --------------------------------------------------------------------------------------


def test_the_fourth_call_of_a_day_waits_for_the_next_day() -> None:
    assert allowed_at(NINE, 3, NINE - timedelta(hours=1), CapsConfig(), HOURS) == china(24, 8, 30)


def test_calls_to_one_number_keep_their_distance() -> None:
    last = NINE - timedelta(minutes=4)
    assert allowed_at(NINE, 1, last, CapsConfig(), HOURS) == NINE + timedelta(minutes=6)
    assert allowed_at(NINE, 1, NINE - timedelta(minutes=10), CapsConfig(), HOURS) == NINE
    assert allowed_at(NINE, 0, None, CapsConfig(), HOURS) == NINE


# ---- ladder ------------------------------------------------------------------------------------


def after(*calls: CallDisposition, now: datetime = NINE, end: datetime = WEEK_END) -> object:
    return LADDER.after(calls, now, end, HOURS)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([CallDisposition.COMPLETED], Done()),
        ([CallDisposition.BUSY], Retry(china(23, 9, 20))),
        ([CallDisposition.NO_ANSWER], Retry(china(23, 14, 30))),
        ([CallDisposition.NO_ANSWER] * 2, Retry(china(24, 8, 30))),
        ([CallDisposition.NO_ANSWER] * 3, Escalate(CaseKind.MISSED_CALL)),
        ([CallDisposition.POWERED_OFF], Retry(china(23, 14, 30))),
        ([CallDisposition.POWERED_OFF] * 3, Escalate(CaseKind.MISSED_CALL)),
        ([CallDisposition.SUSPENDED], Escalate(CaseKind.NUMBER_PROBLEM)),
        ([CallDisposition.INVALID_NUMBER], Escalate(CaseKind.NUMBER_PROBLEM)),
        ([CallDisposition.REJECTED], Retry(china(23, 14, 30))),  # 4 h later is the midday rest
        ([CallDisposition.REJECTED] * 2, Escalate(CaseKind.MISSED_CALL)),
        ([CallDisposition.ANSWERED_SILENT] * 3, Escalate(CaseKind.MISSED_CALL)),
        ([CallDisposition.VOICEMAIL] * 3, Escalate(CaseKind.MISSED_CALL)),
        ([CallDisposition.HUNG_UP_EARLY], Retry(china(23, 9, 20))),
        ([CallDisposition.HUNG_UP_EARLY] * 3, Escalate(CaseKind.UNCLEAR)),
        ([CallDisposition.OTHER_PERSON] * 3, Escalate(CaseKind.OTHER_PERSON)),
        ([CallDisposition.BUSY, CallDisposition.NO_ANSWER], Retry(china(23, 14, 30))),
    ],
)
def test_each_ending_has_its_own_ladder(calls: list[CallDisposition], expected: object) -> None:
    assert after(*calls) == expected


@pytest.mark.parametrize("ours", [CallDisposition.TRUNK_FAILURE, CallDisposition.INTERRUPTED])
def test_a_dead_trunk_is_never_a_missed_call(ours: CallDisposition) -> None:
    assert isinstance(after(*[ours] * 50), Retry)
    assert LADDER.attempts([ours] * 50) == 0
    assert isinstance(after(*[ours] * 50, CallDisposition.NO_ANSWER), Retry)


def test_changing_reasons_do_not_climb_for_ever() -> None:
    mixed = [CallDisposition.BUSY, CallDisposition.NO_ANSWER, CallDisposition.POWERED_OFF] * 2
    assert after(*mixed) == Escalate(CaseKind.MISSED_CALL)
    assert len(mixed) == LADDER.max_attempts


def test_no_retry_is_put_off_beyond_the_period() -> None:
    sunday = china(29, 19)
    assert after(CallDisposition.NO_ANSWER, now=sunday) == Escalate(CaseKind.MISSED_CALL)
    assert after(CallDisposition.BUSY, now=sunday) == Retry(china(29, 19, 20))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("max_attempts: 6", "max_attempts: 0", "max_attempts"),
        ("max_attempts: 6", "max_attempts: true", "max_attempts"),
        ("max_attempts: 6", "max_tries: 6", "unknown keys"),
        ("  busy: ", "  bsy: ", "unknown dispositions"),
        ("[20m, 20m, next_window]", "[20x]", "20x"),
        ("[20m, 20m, next_window]", "20m", "retry is a list"),
        ("retry: [4h],                          escalate: missed_call", "retry: [4h]", "escalate None"),
        ("escalate: unclear", "escalate: nobody", "escalate 'nobody'"),
        ("{done: true}", "{done: true, retry: [1m]}", "needs no other key"),
        ("{done: true}", "{done: yes please}", "true or false"),
        ("retry: [2m, 5m, 15m], counts", "retry: [], counts", "at least one wait"),
        ("dispositions:", "dispositions: [", "not valid YAML"),
    ],
)
def test_a_wrong_ladder_file_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = DEFAULT_FILE.read_text("utf-8")
    assert old in text
    file = tmp_path / "ladder.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BadSettings, match=says):
        load_ladder(file)


def test_a_missing_ladder_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"county\.yaml: no such file"):
        load_ladder(tmp_path / "county.yaml")


@given(st.lists(st.sampled_from(list(CallDisposition)), max_size=40))
def test_every_row_of_endings_comes_to_an_end(endings: list[CallDisposition]) -> None:
    calls: list[CallDisposition] = []
    for ending in endings:
        calls.append(ending)
        following = after(*calls)
        if not isinstance(following, Retry):
            break
        assert following.at >= NINE
    assert LADDER.attempts(calls) <= LADDER.max_attempts


# ---- verdict -----------------------------------------------------------------------------------


def verdict(disposition: CallDisposition, because: str = "", **facts: object) -> object:
    values: dict[str, object] = {"alert": Alert.NONE, "told": True, "unclear": False, "withdrawn": False}
    ended = Ended(calls=(disposition,), because=because, **(values | facts))  # type: ignore[arg-type]
    given_ = judge(ended, NINE, WEEK_END, Policy(), ())
    return given_.status, given_.escalate, given_.opt_out


@pytest.mark.parametrize(
    ("disposition", "because", "facts", "expected"),
    [
        ("completed", Because.FINISHED, {}, (PlanStatus.DONE, None, False)),
        ("completed", Because.FINISHED, {"unclear": True}, (PlanStatus.DONE, CaseKind.UNCLEAR, False)),
        ("completed", Because.FINISHED, {"told": False}, (PlanStatus.DONE, CaseKind.UNCLEAR, False)),
        ("completed", Because.URGENT, {"alert": Alert.URGENT}, (PlanStatus.DONE, None, False)),
        ("interrupted", "", {"alert": Alert.URGENT}, (PlanStatus.ESCALATED, None, False)),
        ("completed", Because.OPT_OUT, {}, (PlanStatus.ESCALATED, None, True)),
        ("interrupted", "", {"withdrawn": True}, (PlanStatus.ESCALATED, None, True)),
        (
            "other_person",
            Because.WRONG_NUMBER,
            {},
            (PlanStatus.ESCALATED, CaseKind.NUMBER_PROBLEM, False),
        ),
        ("hung_up_early", Because.UNHEARD, {}, (PlanStatus.ESCALATED, CaseKind.UNCLEAR, False)),
        ("hung_up_early", Because.HUNG_UP, {"alert": Alert.REVIEW}, (PlanStatus.WAITING, None, False)),
        ("interrupted", "", {}, (PlanStatus.WAITING, None, False)),
    ],
)
def test_what_a_call_means_for_its_plan(
    disposition: str, because: str, facts: dict[str, object], expected: object
) -> None:
    assert verdict(CallDisposition(disposition), because, **facts) == expected


# ---- who, when -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "phone", "on_site", "way"),
    [
        ({}, True, None, Way.PHONE),
        ({}, True, True, Way.PHONE),
        ({"self_caring": False}, True, True, Way.ON_SITE),
        ({"good_health": False}, True, True, Way.ON_SITE),
        ({"mode": VisitMode.ON_SITE}, True, True, Way.ON_SITE),
        ({"self_caring": False}, True, None, Way.ASK),
        ({}, None, True, Way.ON_SITE),
        ({}, None, None, Way.ASK),
        ({}, False, None, Way.ASK),
        ({}, False, True, Way.ON_SITE),
        ({}, False, False, Way.NONE),
    ],
)
def test_only_the_fit_and_willing_are_phoned(
    fields: dict[str, object], phone: bool | None, on_site: bool | None, way: Way
) -> None:
    assert eligible(Elder(id=1, name="x", **fields), phone, on_site) is way  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cadence", "day", "key"),
    [
        (Cadence.WEEKLY, date(2026, 11, 23), "2026-W48"),
        (Cadence.WEEKLY, date(2027, 1, 1), "2026-W53"),
        (Cadence.MONTHLY, date(2026, 2, 28), "2026-02"),
        (Cadence.QUARTERLY, date(2026, 12, 31), "2026-Q4"),
        (Cadence.QUARTERLY, date(2026, 1, 1), "2026-Q1"),
    ],
)
def test_periods_have_stable_names(cadence: Cadence, day: date, key: str) -> None:
    assert period_key(cadence, day) == key


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)), st.sampled_from(list(Cadence)))
def test_periods_follow_one_another_without_gap_or_overlap(day: date, cadence: Cadence) -> None:
    start, end = period_bounds(cadence, day, "Asia/Shanghai")
    local = timedelta(hours=8)
    first, last = (start + local).date(), (end + local).date() - timedelta(days=1)
    assert first <= day <= last
    assert {period_key(cadence, each) for each in (first, day, last)} == {period_key(cadence, day)}
    assert period_bounds(cadence, last + timedelta(days=1), "Asia/Shanghai")[0] == end


def test_a_pause_lasts_through_its_last_day() -> None:
    elder = Elder(id=1, name="x", paused_until=date(2026, 11, 23))
    assert is_paused(elder, china(23, 23, 59), Policy())
    assert not is_paused(elder, china(24, 0), Policy())


# ---- admission, orders, owners ---------------------------------------------------------------


def test_calls_begin_within_channels_lines_and_rate() -> None:
    admission = Admission(AdmissionConfig(channels=5, calls_per_second=2))
    assert admission.room(NINE, live=0, free=8) == 2
    assert admission.room(NINE, live=4, free=8) == 1
    assert admission.room(NINE, live=0, free=1) == 1
    assert admission.room(NINE, live=6, free=8) == 0
    admission.begun(NINE)
    admission.begun(NINE)
    assert admission.room(NINE + timedelta(milliseconds=499), live=2, free=6) == 0
    assert admission.room(NINE + timedelta(milliseconds=500), live=2, free=6) == 1
    assert admission.room(NINE + timedelta(seconds=1), live=2, free=6) == 2


def test_a_tick_every_five_seconds_begins_the_calls_of_five_seconds() -> None:
    """An idle trunk of 100 channels is full after a minute, not after four."""
    admission = Admission(AdmissionConfig(channels=100, calls_per_second=2, burst=timedelta(seconds=5)))
    live, now = 0, NINE
    while live < 100:
        room = admission.room(now, live, free=100)
        assert room == 10
        for _ in range(room):
            admission.begun(now)
        live, now = live + room, now + timedelta(seconds=5)
    assert now - NINE <= timedelta(minutes=1)


def test_an_idle_hour_saves_up_no_more_than_one_burst() -> None:
    admission = Admission(AdmissionConfig(channels=100, calls_per_second=2, burst=timedelta(seconds=5)))
    assert admission.room(NINE, 0, 100) == 10
    assert admission.room(NINE + timedelta(hours=1), 0, 100) == 10


def test_a_clock_that_is_set_back_neither_fills_nor_blocks() -> None:
    admission = Admission(AdmissionConfig(channels=9, calls_per_second=1))
    admission.begun(NINE)
    assert admission.room(NINE - timedelta(hours=1), 1, 9) == 0
    assert admission.room(NINE - timedelta(hours=1) + timedelta(seconds=1), 1, 9) == 1


def test_a_slow_trunk_gets_one_call_every_few_seconds() -> None:
    admission = Admission(AdmissionConfig(channels=5, calls_per_second=0.2))
    admission.begun(NINE)
    assert admission.room(NINE + timedelta(seconds=4), 0, 5) == 0
    assert admission.room(NINE + timedelta(seconds=5), 0, 5) == 1


def test_only_the_elders_own_clear_answers_are_not_asked_again() -> None:
    answers = [
        Answer(1, "who", "identity", "self"),
        Answer(1, "health", "health", "good"),
        Answer(1, "gas", "gas", "unclear"),
        Answer(1, "mood", "mood", "worse", source=AnswerSource.RELATIVE),
        Answer(1, "fire", "fire", "safe", source=AnswerSource.KEYPAD),
    ]
    assert answered_before(answers) == ("health", "fire")


def test_an_order_tells_the_line_no_more_than_it_needs(tmp_path: Path) -> None:
    elder = Elder(
        id=3, name="欧阳秀英", phone="13812340001", address="某村1组", hard_of_hearing=True, tail_ms=2200
    )
    call = Call(9, 4, 3, 1, "weekly_short", "h", NINE, recording="a/b.wav")
    order = call_order(call, elder, (), OrderConfig(recordings=tmp_path))
    assert order.callee.title == "欧阳奶奶"
    assert order.callee.slow
    assert order.tail_ms == 2200
    assert order.recording == str((tmp_path / "a/b.wav").resolve())
    assert "13812340001" not in repr(order)
    assert "秀英" not in repr(order)
    neutral = call_order(call, elder, (), OrderConfig(can_greet=lambda title: False))
    assert (neutral.callee.title, neutral.recording) == ("", None)


def test_a_recordings_name_names_nobody() -> None:
    assert recording_path(3, 4, 2, NINE, "Asia/Shanghai") == "2026/11/23/p4-2-090000.wav"
    assert recording_path(3, None, 1, NINE, "Asia/Shanghai") == "2026/11/23/e3-1-090000.wav"
