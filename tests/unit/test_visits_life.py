"""The steps of a case, whose they are, and when somebody is reminded: pure rules on stored times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.hours import HoursConfig, add_service_time
from storage.model import Case
from visits import evidence, history, life, watch
from visits.deadlines import DEFAULT_FILE, load_deadlines
from visits.life import LEADS_TO, MAY, SYSTEM, Actor, Order, Role, parse_actor, steps_for, take
from xunfang.errors import BadInput, BadSettings, Conflict
from xunfang.vocabulary import CaseKind, CaseLevel, CaseStatus, CaseStep, Priority, ReferTo, ReportCategory

pytestmark = pytest.mark.unit

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 9:00 in China
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOURS = HoursConfig()  # 08:30-11:30 and 14:30-19:30
RULES = load_deadlines(service_time=partial(add_service_time, config=HOURS))
LI, ZHAO = Actor(Role.VISITOR, "1"), Actor(Role.VISITOR, "2")
DESK = Actor(Role.SUPERVISOR, "zhang")
ELDER = Actor(Role.ELDER, "9")
ACTORS = (LI, ZHAO, DESK, ELDER, SYSTEM)


def a_case(status: CaseStatus = CaseStatus.OPEN, **fields: object) -> Case:
    values: dict[str, object] = {
        "id": 3,
        "elder_id": 9,
        "kind": CaseKind.MISSED_CALL,
        "priority": Priority.URGENT,
        "status": status,
        "opened_at": NINE,
        "deadline": NINE + 4 * HOUR,
        "visitor_id": 1,
    }
    return Case(**(values | fields))  # type: ignore[arg-type]


def an_order(step: CaseStep, actor: Actor, **fields: object) -> Order:
    values: dict[str, object] = {"note": "老人安好", "visitor_id": None}
    if step is CaseStep.ASSIGN:
        values["visitor_id"] = 2
    if step is CaseStep.REFER:
        values |= {"to": ReferTo.AMBULANCE, "category": ReportCategory.CRITICAL_ILLNESS}
    return Order(step, actor, **(values | fields))  # type: ignore[arg-type]


# ---- the machine -------------------------------------------------------------------------------


def test_a_case_goes_from_open_to_closed_by_the_door() -> None:
    case, statuses = a_case(), []
    for step, actor in (
        (CaseStep.ASSIGN, DESK),
        (CaseStep.ACCEPT, ZHAO),
        (CaseStep.START, ZHAO),
        (CaseStep.VISITED, ZHAO),
        (CaseStep.CLOSE, ZHAO),
    ):
        case = take(case, an_order(step, actor), NINE)
        statuses.append(case.status)
    assert statuses == ["assigned", "accepted", "on_the_way", "visited", "closed"]
    assert (case.visitor_id, case.visited_at, case.closed_at) == (2, NINE, NINE)
    assert case.disposition_note == "老人安好"


@pytest.mark.parametrize("status", CaseStatus)
@pytest.mark.parametrize("step", CaseStep)
@pytest.mark.parametrize("role", Role)
def test_only_what_the_table_allows_is_done(status: CaseStatus, step: CaseStep, role: Role) -> None:
    actor = Actor(role, "1")
    case = a_case(status, closed_at=NINE if status is CaseStatus.CLOSED else None)
    if status in MAY[step].get(role, ()):
        assert take(case, an_order(step, actor), NINE).status is LEADS_TO[step]
    else:
        with pytest.raises(Conflict, match="案件3"):
            take(case, an_order(step, actor), NINE)


def test_nothing_is_done_to_a_closed_case_by_anybody() -> None:
    assert [steps_for(CaseStatus.CLOSED, role) for role in Role] == [()] * len(Role)


def test_the_system_never_closes_and_an_elder_only_while_nobody_is_on_the_way() -> None:
    assert Role.SYSTEM not in MAY[CaseStep.CLOSE]
    assert {step for step in CaseStep if Role.SYSTEM in MAY[step]} == {CaseStep.ASSIGN}
    assert {step for step in CaseStep if Role.ELDER in MAY[step]} == {CaseStep.CLOSE}
    assert CaseStatus.ON_THE_WAY not in MAY[CaseStep.CLOSE][Role.ELDER]


def test_a_visitor_acts_on_his_own_case_only() -> None:
    case = a_case(CaseStatus.ASSIGNED, visitor_id=1)
    with pytest.raises(Conflict, match="由巡访员1负责，巡访员2不能接受"):
        take(case, an_order(CaseStep.ACCEPT, ZHAO), NINE)
    assert take(case, an_order(CaseStep.ACCEPT, LI), NINE).visitor_id == 1


def test_an_open_case_is_claimed_by_whoever_accepts_it_first() -> None:
    claimed = take(a_case(visitor_id=1), an_order(CaseStep.ACCEPT, ZHAO), NINE)
    assert (claimed.status, claimed.visitor_id) == (CaseStatus.ACCEPTED, 2)
    with pytest.raises(Conflict, match="已接受"):
        take(claimed, an_order(CaseStep.ACCEPT, LI), NINE)


@pytest.mark.parametrize("step", [CaseStep.CLOSE, CaseStep.REFUSE])
def test_without_words_there_is_no_closing_and_no_refusing(step: CaseStep) -> None:
    status = CaseStatus.VISITED if step is CaseStep.CLOSE else CaseStatus.ASSIGNED
    with pytest.raises(BadInput, match="--note"):
        take(a_case(status), an_order(step, LI, note="  "), NINE)


def test_a_referral_says_to_whom_and_what_is_reported() -> None:
    with pytest.raises(BadInput, match="--to"):
        take(a_case(), an_order(CaseStep.REFER, DESK, category=None), NINE)
    with pytest.raises(BadInput, match="什么情况"):
        take(a_case(), an_order(CaseStep.REFER, DESK, category=ReportCategory.OTHER, note=""), NINE)
    referred = take(a_case(), an_order(CaseStep.REFER, DESK, note=""), NINE)
    assert (referred.referred_to, referred.report_category) == ("120", "critical_illness")


def test_refusing_frees_the_case_and_remembers_who_was_asked() -> None:
    rung = a_case(CaseStatus.ASSIGNED, level=CaseLevel.VILLAGE, level_since=NINE, reminded_at=NINE)
    refused = take(rung, an_order(CaseStep.REFUSE, LI), NINE + HOUR)
    assert (refused.status, refused.visitor_id, refused.asked) == (CaseStatus.OPEN, None, (1,))
    assert (refused.level, refused.reminded_at) == (CaseLevel.VILLAGE, None), "nobody has come nearer"
    accepted = take(rung, an_order(CaseStep.ACCEPT, LI), NINE + HOUR)
    assert (accepted.level, accepted.level_since, accepted.since) == (None, None, NINE + HOUR)


def test_the_same_visitor_is_not_assigned_twice() -> None:
    with pytest.raises(Conflict, match="已经由巡访员2负责"):
        take(a_case(CaseStatus.ACCEPTED, visitor_id=2), an_order(CaseStep.ASSIGN, DESK), NINE)


@given(
    st.lists(
        st.tuples(st.sampled_from(CaseStep), st.sampled_from(ACTORS), st.sampled_from(["", "已看望"])),
        max_size=25,
    )
)
def test_any_sequence_of_steps_keeps_the_case_whole(wanted: list[tuple[CaseStep, Actor, str]]) -> None:
    case, now = a_case(visitor_id=None), NINE
    for step, actor, note in wanted:
        now += MINUTE
        before = case
        try:
            case = take(case, an_order(step, actor, note=note), now)
        except (Conflict, BadInput):
            continue
        assert before.status in MAY[step][actor.role]
        assert case.status is LEADS_TO[step]
        assert case.since == now
        assert set(before.asked) <= set(case.asked)
        if actor.role is Role.VISITOR:
            assert before.visitor_id == actor.visitor_id or step is CaseStep.ACCEPT
    closed = case.status is CaseStatus.CLOSED
    assert (case.closed_at is not None) == closed == bool(case.disposition_note)
    if case.status in (CaseStatus.ASSIGNED, CaseStatus.ACCEPTED, CaseStatus.ON_THE_WAY):
        assert case.visitor_id is not None, "somebody is on his way and nobody knows who"


@pytest.mark.parametrize(
    ("text", "actor"),
    [("visitor:3", "visitor:3"), ("user:zhang", "user:zhang"), ("张主任", "user:张主任")],
)
def test_who_acts_is_written_as_the_audit_spells_it(text: str, actor: str) -> None:
    assert str(parse_actor(text)) == actor


@pytest.mark.parametrize("text", ["", "visitor:", "visitor:李", "visitor:-3", "system:", "elder:9", "x" * 60])
def test_nobody_acts_as_the_system_or_as_the_elder_from_outside(text: str) -> None:
    with pytest.raises(BadInput):
        parse_actor(text)


# ---- reminders and escalation ------------------------------------------------------------------


def test_until_when_each_step_may_take() -> None:
    urgent, close = RULES.life.accept_within[Priority.URGENT], RULES.life.close_within[Priority.URGENT]
    assert watch.due(a_case(), RULES) == NINE + urgent
    assert watch.due(a_case(deadline=NINE + MINUTE), RULES) == NINE + MINUTE, "never beyond the deadline"
    accepted = a_case(CaseStatus.ACCEPTED, since=NINE + HOUR)
    assert watch.due(accepted, RULES) == accepted.deadline
    late = replace(accepted, since=accepted.deadline + HOUR)
    assert watch.due(late, RULES) == accepted.deadline + HOUR + urgent, "who comes new is given time"
    assert watch.due(a_case(CaseStatus.VISITED, since=NINE + DAY), RULES) == NINE + DAY + close


def test_nothing_is_said_before_the_time_is_over_and_the_next_look_is_then() -> None:
    case = a_case()
    seen = watch.look(case, NINE, RULES)
    assert (seen.remind, seen.escalate) == (False, False)
    assert seen.next_look == watch.due(case, RULES)


def test_reminders_repeat_and_levels_are_rung_one_after_another() -> None:
    case, now, told = a_case(CaseStatus.ACCEPTED, deadline=NINE), NINE, []
    case = replace(case, since=NINE - HOUR)
    for minute in range(120):
        now = NINE + minute * MINUTE
        seen = watch.look(case, now, RULES)
        assert seen.next_look > now
        if seen.escalate:
            case = replace(case, level=watch.levels_above(case.level)[0], level_since=now, reminded_at=now)
            told.append((minute, str(case.level)))
        elif seen.remind:
            case = replace(case, reminded_at=now)
            told.append((minute, "remind"))
    assert told[:4] == [(0, "remind"), (5, "village"), (15, "township"), (25, "county")]
    assert told[4:] == [(minute, "remind") for minute in range(35, 120, 10)]


@given(
    st.sampled_from([each for each in CaseStatus if each is not CaseStatus.CLOSED]),
    st.sampled_from(Priority),
    st.sampled_from([None, *CaseLevel]),
    st.integers(0, 20_000),
    st.integers(0, 20_000),
)
def test_the_next_look_is_always_later_and_never_later_than_what_is_due(
    status: CaseStatus, priority: Priority, level: CaseLevel | None, since: int, later: int
) -> None:
    began = NINE + since * MINUTE
    case = a_case(status, priority=priority, since=began, level=level, level_since=level and began)
    now = began + later * MINUTE
    seen = watch.look(case, now, RULES)
    assert now < seen.next_look <= now + watch.LOOK_AT_LEAST_EVERY
    if not seen.remind:
        assert seen.next_look <= max(watch.due(case, RULES), now)
    if level is CaseLevel.COUNTY:
        assert not seen.escalate


def test_urgent_runs_at_night_and_the_rest_in_service_hours() -> None:
    evening = NINE + 10 * HOUR  # 19:00, half an hour before the end of service
    assert RULES.after(Priority.URGENT, evening, 2 * HOUR) == evening + 2 * HOUR
    assert RULES.after(Priority.HIGH, evening, 2 * HOUR) == NINE + DAY + HOUR  # 10:00 on Tuesday
    assert RULES.deadline(CaseKind.MISSED_CALL, Priority.URGENT, evening) == evening + 4 * HOUR


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("09:00", HOUR, "11-23 10:00"),
        ("11:00", HOUR, "11-23 15:00"),  # over noon
        ("11:00", 30 * MINUTE, "11-23 11:30"),
        ("12:00", HOUR, "11-23 15:30"),
        ("21:00", HOUR, "11-24 09:30"),
        ("09:00", DAY, "11-24 09:00"),
        ("19:00", DAY + HOUR, "11-26 09:00"),  # Wednesday is closed
        ("12:00", 2 * DAY, "11-26 14:30"),
    ],
)
def test_service_time_counts_only_while_there_is_service(start: str, duration: timedelta, end: str) -> None:
    config = HoursConfig(closed=frozenset({date(2026, 11, 25)}))
    now = datetime.fromisoformat(f"2026-11-23T{start}:00+08:00").astimezone(UTC)
    passed = add_service_time(now, duration, config) + 8 * HOUR
    assert passed.strftime("%m-%d %H:%M") == end


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "accept_within:  {urgent: 5m,",
            "accept_within:  {urgent: soon,",
            "life: accept_within: urgent: 'soon'",
        ),
        (
            "accept_within:  {urgent: 5m, ",
            "accept_within:  {",
            "accept_within: needs exactly the keys urgent",
        ),
        ("reminder_every: {urgent: 10m,", "reminder_every: {urgent: 0m,", "longer than nothing"),
        (
            "    township: ",
            "    county: ",
            "escalate_after: needs exactly the keys visitor, village, township",
        ),
        ("  close_within:", "  closed_within:", "life: needs exactly"),
        ("life:", "live:", "life: needs exactly"),
    ],
)
def test_a_wrong_table_of_patience_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = DEFAULT_FILE.read_text("utf-8")
    assert old in text
    file = tmp_path / "deadlines.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BadSettings, match=says):
        load_deadlines(file)


# ---- in words ----------------------------------------------------------------------------------


def test_evidence_reads_as_words_seconds_recording_and_why() -> None:
    told = {
        "kind": "distress",
        "call_id": 7,
        "text": "我摔了起不来",
        "by": "本人",
        "reasons": ["fall.plain: affirmed now self -> urgent", "plea.come: plea", "a new rule"],
        "start_s": 12.04,
        "end_s": 14.5,
        "recording": "2026/11/23/p2.wav",
    }
    assert evidence.sentence(told, "Asia/Shanghai") == (
        "老人原话：“我摔了起不来” · 录音第12.0–14.5秒（2026/11/23/p2.wav）"
        " · 判断：摔倒，本人，现在，确有其事（紧急）；呼救；a new rule"
    )


def test_evidence_of_calls_in_vain_lists_them_in_local_time() -> None:
    tried = {
        "kind": "missed_call",
        "text": "共拨打1次",
        "tried": [{"at": NINE.isoformat(), "disposition": "no_answer"}],
    }
    assert evidence.sentence(tried, "Asia/Shanghai") == "共拨打1次 · 拨打：11-23 09:00 无人接听"
    assert evidence.sentence({"odd": 1}, "Asia/Shanghai") == "odd=1"


def test_every_event_has_its_chinese_word() -> None:
    from ivr.understanding.model import Event

    assert set(evidence.EVENT_ZH) == set(Event)


def named(visitor_id: int) -> str:
    return {1: "李村医"}.get(visitor_id, "")


@pytest.mark.parametrize(
    ("kind", "detail", "actor", "says"),
    [
        ("case.opened", {"kind": "distress", "priority": "urgent", "call_id": 7, "visitor_id": 1},
         "system", "立案：紧急求助，紧急；拟由巡访员李村医（1）上门（通话7）"),
        ("case.assign", {"visitor_id": 1, "instead_of": 2, "note": "离得近"},
         "user:zhang", "由巡访员2改派给巡访员李村医（1）：离得近"),
        ("case.accept", {"visitor_id": 1}, "visitor:1", "接受任务"),
        ("case.accept", {"visitor_id": 1}, "user:zhang", "巡访员李村医（1）接受任务"),
        ("case.refer", {"referred_to": "civil_affairs", "category": "hardship"},
         "user:zhang", "转介民政部门，报告类别：面临重大困境"),
        ("case.escalated", {"to": "village", "because": "not accepted in time", "told": ["area:4", "duty"]},
         "system", "上报村级：逾期无人接受；已通知当地值守电话、值班台"),
        ("no_notice_sent", {"to": "webhook", "because": "webhook answered 503"},
         "system", "通知未发出（对接系统）：对接系统返回503"),
        ("visitor_silent", {"visitor_id": 2}, "system", "巡访员2逾期没有回应"),
        ("kind.of.next.year", {"a": 1}, "system", 'kind.of.next.year {"a": 1}'),
    ],
)  # fmt: skip
def test_the_history_is_told_in_chinese(kind: str, detail: dict[str, object], actor: str, says: str) -> None:
    assert history.sentence(kind, detail, named, "Asia/Shanghai", actor) == says


def test_who_did_it_is_named_for_a_supervisor_and_only_numbered_in_messages() -> None:
    assert history.actor("visitor:1", named) == "巡访员李村医（1）"
    assert life.actor_zh("visitor:1") == "巡访员1"
    assert [history.actor(each, named) for each in ("system", "elder:9", "user:zhang", "odd")] == [
        "系统",
        "老人本人",
        "督导zhang",
        "odd",
    ]
