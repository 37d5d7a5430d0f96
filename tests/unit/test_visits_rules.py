"""When somebody has to go, how soon, and who."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from records.model import AlertFact
from storage.model import Answer, Case, Contact, Elder, Visitor
from visits.deadlines import DEFAULT_FILE, load_deadlines
from visits.merging import new_evidence, new_lines
from visits.model import CaseDraft, ElderFacts, Outcome, Tried
from visits.people import title
from visits.risk import risk_priority
from visits.rules import GRAVEST_FIRST, case_for, propose_visitor
from xunfang.errors import BadSettings
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDisposition,
    CaseKind,
    CaseStatus,
    Priority,
    Risk,
)

pytestmark = pytest.mark.unit

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 9:00 in China
DEADLINES = load_deadlines()
HEARD_YESTERDAY = ElderFacts(days_since_heard=1)


def drafted(outcome: Outcome, facts: ElderFacts = HEARD_YESTERDAY, now: datetime = NINE) -> CaseDraft:
    draft = case_for(outcome, facts, DEADLINES, now)
    assert draft is not None
    return draft


def needs(text: str = "想让人送饭") -> Answer:
    return Answer(call_id=7, question="needs", topic="needs", answer="yes", details=("meals",), text=text)


# ---- kinds -----------------------------------------------------------------------------------


def test_a_quiet_visit_makes_no_case() -> None:
    well = Answer(call_id=7, question="health", topic="health", answer="good", text="挺好")
    assert case_for(Outcome(1, call_id=7, answers=(well,)), HEARD_YESTERDAY, DEADLINES, NINE) is None


def test_distress_is_due_within_half_an_hour_whenever_it_is_spoken() -> None:
    alert = AlertFact(Alert.URGENT, "救命", start_s=3.0, end_s=4.0)
    for now in (NINE, NINE + timedelta(hours=11)):
        draft = drafted(Outcome(1, call_id=7, alerts=(alert,)), now=now)
        assert (draft.kind, draft.priority) == (CaseKind.DISTRESS, Priority.URGENT)
        assert draft.deadline == now + timedelta(minutes=30)
    assert draft.evidence[0]["start_s"] == 3.0
    assert "救命" in draft.summary


def test_an_ambulance_is_never_promised() -> None:
    draft = drafted(Outcome(1, call_id=7, alerts=(AlertFact(Alert.URGENT, "救命"),)))
    assert "由工作人员拨打" in draft.summary


def test_several_reasons_make_one_case_named_after_the_gravest() -> None:
    alert = AlertFact(Alert.URGENT, "胸口疼")
    draft = drafted(Outcome(1, call_id=7, answers=(needs(),), alerts=(alert,)))
    assert draft.kind is CaseKind.DISTRESS
    assert {each["kind"] for each in draft.evidence} == {"distress", "request"}
    assert len(draft.summary.splitlines()) == 2


def test_a_wish_that_was_flagged_for_review_is_a_request_and_no_concern() -> None:
    flagged = AlertFact(Alert.REVIEW, "想让人送饭", question="needs", answer="yes")
    draft = drafted(Outcome(1, call_id=7, answers=(needs(),), alerts=(flagged,)))
    assert draft.kind is CaseKind.REQUEST
    assert draft.priority is Priority.NORMAL


def test_a_review_alert_is_looked_at_the_same_day() -> None:
    draft = drafted(Outcome(1, call_id=7, alerts=(AlertFact(Alert.REVIEW, "前天摔了一下", event="fall"),)))
    assert draft.kind is CaseKind.CONCERN
    assert draft.deadline.date() == NINE.date()


def test_a_relatives_words_are_quoted_as_his() -> None:
    alert = AlertFact(Alert.REVIEW, "我妈这两天不吃饭", relative=True)
    draft = drafted(Outcome(1, call_id=7, alerts=(alert,)))
    assert "家属代述" in draft.summary
    assert draft.evidence[0]["by"] == "家属代述"


def test_opting_out_is_a_refusal_and_not_also_a_concern() -> None:
    asked = AlertFact(Alert.REVIEW, "别再打了", answer="opt_out")
    draft = drafted(Outcome(1, call_id=7, alerts=(asked,), opt_out=True))
    assert (draft.kind, len(draft.evidence)) == (CaseKind.REFUSAL, 1)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_kind_has_a_deadline_and_a_summary(kind: CaseKind) -> None:
    tried = (Tried(NINE, CallDisposition.NO_ANSWER), Tried(NINE, CallDisposition.BUSY))
    draft = drafted(Outcome(1, call_id=7, escalate=kind, tried=tried))
    assert draft.kind is kind
    assert draft.deadline > NINE
    assert draft.summary.endswith("。")
    assert kind in GRAVEST_FIRST


def test_a_missed_call_lists_what_was_tried_and_who_the_elder_is() -> None:
    tried = tuple(
        Tried(NINE + timedelta(hours=n), each)
        for n, each in enumerate([CallDisposition.NO_ANSWER, CallDisposition.BUSY, CallDisposition.NO_ANSWER])
    )
    facts = ElderFacts(living_alone=True, last_risk=Risk.ATTENTION, days_since_heard=9)
    draft = drafted(Outcome(1, escalate=CaseKind.MISSED_CALL, tried=tried), facts)
    assert "共拨打3次（无人接听2次、占线1次），最近一次11月23日11:00" in draft.summary
    assert "独居" in draft.summary
    assert "9天没有消息" in draft.summary


# ---- priority and deadlines ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "priority"),
    [
        (ElderFacts(days_since_heard=1), Priority.NORMAL),
        (ElderFacts(), Priority.NORMAL),
        (ElderFacts(living_alone=True), Priority.HIGH),
        (ElderFacts(living_alone=True, days_since_heard=1), Priority.NORMAL),
        (ElderFacts(living_alone=True, advanced_age=True, days_since_heard=1), Priority.HIGH),
        (ElderFacts(last_risk=Risk.URGENT, days_since_heard=3), Priority.HIGH),
        (ElderFacts(days_since_heard=30), Priority.HIGH),
        (ElderFacts(True, True, Risk.ATTENTION, 14), Priority.URGENT),
        (ElderFacts(True, True, None, 31), Priority.URGENT),
    ],
)
def test_silence_weighs_more_the_frailer_the_elder(facts: ElderFacts, priority: Priority) -> None:
    assert risk_priority(facts, DEADLINES.risk) is priority


def test_the_more_urgent_the_sooner() -> None:
    worst_first = (Priority.URGENT, Priority.HIGH, Priority.NORMAL)
    for kind in CaseKind:
        due = [DEADLINES.deadline(kind, each, NINE) for each in worst_first]
        assert due == sorted(due), kind


@pytest.mark.parametrize(
    ("hour", "due"),
    [(9, "11-23 20:00"), (18, "11-23 20:00"), (19.5, "11-24 10:00"), (23, "11-24 10:00")],
)
def test_the_same_day_ends_in_the_evening(hour: float, due: str) -> None:
    now = NINE + timedelta(hours=hour - 9)
    deadline = DEADLINES.deadline(CaseKind.NUMBER_PROBLEM, Priority.HIGH, now)
    assert (deadline + timedelta(hours=8)).strftime("%m-%d %H:%M") == due


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("30m,      high: 30m", "soon, high: 30m", "no duration"),
        ("priority: urgent,", "priority: now,", "priority 'now'"),
        ("consent:  ", "konsent:  ", "unknown kinds"),
        ('until: "20:00"', 'until: "25:00"', "no time of day"),
        ("  at_least: 1h", "  atleast: 1h", "same_day: needs"),
        ("concern:        {priority: high,    ", "concern:        {", "concern: needs exactly"),
        ("same_day:\n", "same_day: [\n", "not valid YAML"),
    ],
)
def test_a_wrong_deadline_file_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = DEFAULT_FILE.read_text("utf-8")
    assert old in text
    file = tmp_path / "deadlines.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BadSettings, match=says):
        load_deadlines(file)


# ---- merging ---------------------------------------------------------------------------------


def open_case(**fields: object) -> Case:
    values: dict[str, object] = {
        "id": 1,
        "elder_id": 1,
        "kind": CaseKind.DISTRESS,
        "priority": Priority.URGENT,
        "status": CaseStatus.OPEN,
        "opened_at": NINE,
        "deadline": NINE,
        "summary": "一",
    }
    return Case(**(values | fields))  # type: ignore[arg-type]


def test_the_same_seconds_of_the_same_call_are_the_same_evidence() -> None:
    held = {"kind": "distress", "call_id": 7, "text": "我摔了", "start_s": 5.0, "end_s": 6.0}
    longer = held | {"text": "我摔了起不来", "end_s": 7.0}
    later = held | {"text": "腿断了", "start_s": 20.0, "end_s": 22.0}
    other_call = longer | {"call_id": 8}
    draft = CaseDraft(1, CaseKind.DISTRESS, Priority.URGENT, NINE, "一\n二", (longer, later, other_call), 7)
    case = open_case(evidence=(held,))
    assert new_evidence(case, draft) == (later, other_call)
    assert new_lines(case, draft) == "一\n二"


ADVICE = "请立即联系并上门，必要时由工作人员拨打120/110。"


@pytest.mark.parametrize(
    ("held", "new", "becomes"),
    [
        # The call goes on after the first alert: its case is told of again, with all of them.
        (
            f"紧急求助：老人说“救命”。{ADVICE}",
            f"紧急求助：老人说“救命”；老人说“我起不来”。{ADVICE}",
            f"紧急求助：老人说“救命”；老人说“我起不来”。{ADVICE}",
        ),
        # Another call, another day: only what is new is added.
        (
            "情况异常：老人说“头晕。老毛病”；家里水电异常。请当日核实。",
            "情况异常：家里水电异常；老人说“头晕。老毛病”；老人说“腿肿”。请当日核实。",
            "情况异常：老人说“头晕。老毛病”；家里水电异常；老人说“腿肿”。请当日核实。",
        ),
        (
            "多次未接通：共拨打3次（无人接听3次），最近一次11月23日11:00。请上门看望。独居。",
            "多次未接通：共拨打4次（无人接听4次），最近一次11月24日11:00。请上门看望。独居、高龄。",
            "多次未接通：共拨打3次（无人接听3次），最近一次11月23日11:00；"
            "共拨打4次（无人接听4次），最近一次11月24日11:00。请上门看望。独居、高龄。",
        ),
        # Words cut shorter while the call lived.
        (
            f"紧急求助：老人说“我摔了”；家属代述“没动静”。{ADVICE}",
            f"紧急求助：老人说“我摔了起不来”；老人说“没动静”。{ADVICE}",
            f"紧急求助：老人说“我摔了起不来”；家属代述“没动静”；老人说“没动静”。{ADVICE}",
        ),
        ("紧急求助：老人说“救命”。", "紧急求助：老人说“救命”。", "紧急求助：老人说“救命”。"),
        # Another reason is a line of its own, whatever was said.
        (
            "情况异常：老人说“腿肿”。请当日核实。",
            "服务需求：老人提出：助医。请联系落实。",
            "情况异常：老人说“腿肿”。请当日核实。\n服务需求：老人提出：助医。请联系落实。",
        ),
        # What is not of our making is left as it is.
        ("督导补充：见电话", "督导补充：见记录“未闭合", "督导补充：见电话\n督导补充：见记录“未闭合"),
        ("", "一", "一"),
    ],
)
def test_a_merged_summary_says_nothing_twice_and_loses_nothing(held: str, new: str, becomes: str) -> None:
    draft = CaseDraft(1, CaseKind.DISTRESS, Priority.URGENT, NINE, new, (), 7)
    once = new_lines(open_case(summary=held), draft)
    assert once == becomes
    assert new_lines(open_case(summary=once), draft) == once


# ---- who goes --------------------------------------------------------------------------------

ELDER = Elder(id=1, name="王秀英", area_id=5)
CHILD_HERE = Contact(1, 1, 1, relation="child", phone="137 0000 0001", same_place=True, may_be_told=True)
CHILD_AWAY = Visitor(10, "甲", kind="child", phone="13700000002", elder_id=1)
NEIGHBOUR = Visitor(11, "乙", kind="neighbour", elder_id=1)
VILLAGE = Visitor(12, "丙", kind="village", area_id=5)
VOLUNTEER = Visitor(13, "丁", kind="volunteer", area_id=5)


def test_children_in_the_same_place_come_first() -> None:
    child = Visitor(14, "戊", kind="child", phone="13700000001", elder_id=1)
    proposal = propose_visitor(ELDER, [NEIGHBOUR, CHILD_AWAY, child], [VILLAGE], [CHILD_HERE])
    assert proposal.visitor_id == 14
    assert "第一巡访员" in proposal.why


def test_a_child_of_the_same_place_who_is_only_a_contact_becomes_first_visitor() -> None:
    assert propose_visitor(ELDER, [], [VILLAGE], [CHILD_HERE]).contact_id == 1


def test_nobody_is_told_whom_the_elder_did_not_agree_to() -> None:
    silent = replace(CHILD_HERE, may_be_told=False)
    proposal = propose_visitor(ELDER, [], [VILLAGE], [silent])
    assert (proposal.visitor_id, proposal.contact_id) == (12, None)


@pytest.mark.parametrize(
    ("own", "area", "expected"),
    [
        ([CHILD_AWAY, NEIGHBOUR], [VOLUNTEER, VILLAGE], 11),
        ([CHILD_AWAY], [VOLUNTEER, VILLAGE], 12),
        ([], [VOLUNTEER], 13),
        ([CHILD_AWAY], [], 10),
        ([], [], None),
    ],
)
def test_relatives_then_village_then_volunteers(
    own: list[Visitor], area: list[Visitor], expected: int | None
) -> None:
    proposal = propose_visitor(ELDER, own, area, [])
    assert proposal.visitor_id == expected
    assert proposal.why


@pytest.mark.parametrize(
    ("name", "sex", "spoken"),
    [
        ("王秀英", "F", "王奶奶"),
        ("欧阳建国", "M", "欧阳爷爷"),
        ("欧阳", "M", "欧爷爷"),
        ("阿依古丽·买买提", "F", ""),
        ("王", "F", ""),
        ("Maria", "F", ""),
        ("王秀英", "", ""),
    ],
)
def test_how_an_elder_is_addressed(name: str, sex: str, spoken: str) -> None:
    assert title(name, sex) == spoken


def test_answers_of_an_earlier_call_of_the_visit_count_as_its_own_evidence() -> None:
    worse = Answer(3, "mood", "mood", "worse", text="不好", source=AnswerSource.SELF)
    draft = drafted(Outcome(1, call_id=4, answers=(worse,)))
    assert draft.kind is CaseKind.CONCERN
    assert draft.evidence[0]["call_id"] == 3
