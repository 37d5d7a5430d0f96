"""Verdicts and corrected answers as a supervisor gives them: what they open, what they never close."""

from __future__ import annotations

from dataclasses import replace

import pytest
from storage_cast import DAY, MINUTE, NOW, a_call, an_elder

from ivr.session.transcript import judgement
from ivr.understanding import Question, understand
from storage import Store, Work
from storage.model import Answer, Call, Turn
from visits import review, service
from visits.deadlines import load_deadlines
from visits.handling import handle
from visits.life import Actor, Order, Role, parse_actor
from visits.review import Reviewed, correct_answer, give_verdict
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import Alert, CaseKind, CaseStatus, CaseStep, Priority, ReviewVerdict, Speaker

pytestmark = pytest.mark.integration

ZHANG = Actor(Role.SUPERVISOR, "3")
RULES = load_deadlines()
CONFIRMED, FALSE_ALARM, MISSED = ReviewVerdict.CONFIRMED, ReviewVerdict.FALSE_ALARM, ReviewVerdict.MISSED
ASKED, SAID = 1, 2  # turns: ours, theirs


def heard(work: Work, text: str, topic: Question = Question.EVENT) -> Call:
    """A call in which we asked and somebody said this, judged as it is in a call."""
    call = a_call(work, an_elder(work))
    meant = understand(text, topic)
    question = topic.value
    work.turns.add(Turn(call.id, ASKED, Speaker.SYSTEM, "最近有没有摔着？", question, start_s=1.0, end_s=3.0))
    work.turns.add(
        Turn(
            call.id,
            SAID,
            Speaker.ELDER,
            text,
            question,
            0.9,
            4.0,
            6.0,
            meant.alert,
            judgement(meant),
        )
    )
    return call


def say(
    work: Work, call: Call, verdict: ReviewVerdict, reason: str = "", turn: int = SAID, urgent: bool = False
) -> Reviewed:
    return give_verdict(work, call.id, turn, verdict, reason, ZHANG, NOW, RULES, urgent=urgent)


def kinds(work: Work, subject: str) -> list[str]:
    return [each.kind for each in work.audit.of(subject)]


def test_a_confirmed_alert_opens_a_case_with_its_words_and_seconds(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "我上周摔了一跤")
        given = say(work, call, CONFIRMED)
        assert given.opened
        assert given.case is not None
        assert (given.case.kind, given.case.status) == (CaseKind.CONCERN, CaseStatus.OPEN)
        (evidence,) = given.case.evidence
        assert (evidence["call_id"], evidence["start_s"], evidence["text"]) == (
            call.id,
            4.0,
            "我上周摔了一跤",
        )
        assert given.verdict.entries
        assert review.VERDICT_GIVEN in kinds(work, f"call:{call.id}")
        assert review.VERDICT_GIVEN in kinds(work, f"case:{given.case.id}")


def test_an_alert_that_is_being_seen_to_sends_nobody_twice(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "我摔倒了，起不来了")
        first = say(work, call, CONFIRMED)
        assert first.case is not None
        assert first.case.kind is CaseKind.DISTRESS
        again = say(work, call, CONFIRMED, "又听了一遍")
        assert not again.opened
        assert again.case is not None
        assert again.case.id == first.case.id
        handle(work, first.case.id, Order(CaseStep.CLOSE, ZHANG, "误报"), NOW, RULES)
        reopened = say(work, call, CONFIRMED, "刚才判错了")
        assert reopened.opened, "closed without a visit: somebody has to go after all"
        assert reopened.case is not None
        assert reopened.case.id != first.case.id


def test_what_was_visited_already_is_not_opened_again_by_a_late_verdict(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "我上周摔了一跤")
        case = say(work, call, CONFIRMED).case
        assert case is not None
        visitor = work.visitors.add(name="李村医", kind="village", phone="13900000001")
        for order in (
            Order(CaseStep.ASSIGN, ZHANG, visitor_id=visitor.id),
            Order(CaseStep.ACCEPT, ZHANG),
            Order(CaseStep.VISITED, ZHANG),
            Order(CaseStep.CLOSE, ZHANG, "已上门，老人安好"),
        ):
            handle(work, case.id, order, NOW, RULES)
        late = say(work, call, CONFIRMED, "补记")
        assert not late.opened
        assert work.cases.open_for(call.elder_id) is None


def test_a_false_alarm_closes_nothing_and_stands_in_the_history_with_its_reason(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "我摔倒了，起不来了")
        case = say(work, call, CONFIRMED).case
        given = say(work, call, FALSE_ALARM, "电视里的声音")
        assert case is not None
        assert given.case is not None
        assert (given.case.id, given.case.status, given.opened) == (case.id, CaseStatus.OPEN, False)
        assert "电视" not in str([each.detail for each in work.audit.of(f"case:{case.id}")])
    lines = [entry["text"] for entry in service.show(store, case.id, NOW)["history"]]
    assert "听录音复核通话1第2句：误报（原判属实）：电视里的声音；案件仍须填写处置情况后办结" in lines


def test_a_false_alarm_without_a_case_opens_none(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "我上周摔了一跤")
        assert say(work, call, FALSE_ALARM, "说的是前年").case is None
        assert work.cases.open_for(call.elder_id) is None


def test_a_missed_alert_opens_a_case_and_names_what_had_matched(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "没摔")
        given = say(work, call, MISSED, "其实说的是没少摔", urgent=True)
        assert given.case is not None
        assert (given.case.kind, given.case.priority) == (CaseKind.DISTRESS, Priority.URGENT)
        assert given.verdict.alert is Alert.NONE
        assert given.verdict.entries
        (counted,) = (each for each in work.verdicts.by_entry() if each.entry == given.verdict.entries[0])
        assert (counted.raised, counted.missed) == (0, 1)


def test_a_worry_that_is_heard_as_danger_raises_the_open_case(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "我上周摔了一跤")
        assert say(work, call, CONFIRMED).case.priority is Priority.HIGH  # type: ignore[union-attr]
        graver = say(work, call, CONFIRMED, "现在还躺在地上", urgent=True)
        assert graver.opened
        assert (graver.case.kind, graver.case.priority) == (CaseKind.DISTRESS, Priority.URGENT)  # type: ignore[union-attr]


def test_a_wish_to_be_left_alone_that_is_confirmed_is_looked_at(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "别再给我打电话了", Question.HEALTH)
        given = say(work, call, CONFIRMED)
        assert given.case is not None
        assert given.case.kind is CaseKind.CONCERN


def test_saying_the_same_again_writes_nothing(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "我上周摔了一跤")
        first, again = (say(work, call, FALSE_ALARM, "说的是老伴") for _ in range(2))
        assert again.again
        assert again.verdict == first.verdict
        assert len(work.verdicts.of_call(call.id)) == 1
        assert kinds(work, f"call:{call.id}").count(review.VERDICT_GIVEN) == 1


@pytest.mark.parametrize(
    ("verdict", "reason", "turn", "text", "error", "says"),
    [
        (FALSE_ALARM, "  ", SAID, "救命", BadInput, "必须说明原因"),
        (CONFIRMED, "", SAID, "没摔", BadInput, "请判为漏报"),
        (MISSED, "", SAID, "救命", BadInput, "不是漏报"),
        (MISSED, "", ASKED, "救命", BadInput, "系统自己说的"),
        (CONFIRMED, "", 9, "救命", NotFound, "有报警的句子：2"),
        (CONFIRMED, "长" * 501, SAID, "救命", BadInput, "最多500字"),
    ],
)
def test_a_verdict_that_does_not_fit_is_refused_with_what_to_do(
    sqlite_store: Store,
    verdict: ReviewVerdict,
    reason: str,
    turn: int,
    text: str,
    error: type[Exception],
    says: str,
) -> None:
    with sqlite_store.begin() as work:
        call = heard(work, text)
        with pytest.raises(error, match=says):
            say(work, call, verdict, reason, turn)
        assert work.verdicts.of_call(call.id) == []
        with pytest.raises(NotFound, match="没有通话99"):
            say(work, replace(call, id=99), verdict, "说明", turn)


def test_only_a_supervisor_judges(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        call, visitor = heard(work, "救命"), parse_actor("visitor:3")
        with pytest.raises(BadInput, match="督导"):
            give_verdict(work, call.id, SAID, CONFIRMED, "", visitor, NOW, RULES)
        with pytest.raises(BadInput, match="督导"):
            correct_answer(work, call.id, "event", "no", (), "听错", visitor, NOW)


def test_a_corrected_answer_stands_beside_the_machines(store: Store) -> None:
    with store.begin() as work:
        call = heard(work, "不用", Question.NEEDS)
        machine = Answer(call.id, "needs", "needs", "no", at=NOW)
        work.answers.put(machine)
        kept = correct_answer(work, call.id, "needs", "yes", ["meals", "meals"], "说的是要送饭", ZHANG, NOW)
        assert (kept.answer, kept.details, kept.by) == ("yes", ("meals",), "user:3")
        assert work.answers.of(call.id) == [machine]
        later = correct_answer(work, call.id, "needs", "unclear", [], "再听听不清", ZHANG, NOW + MINUTE)
        assert work.corrections.last_of_call(call.id) == {"needs": later}
        same = correct_answer(work, call.id, "needs", "unclear", [], "再听听不清", ZHANG, NOW + DAY)
        assert same == later
        changes = [
            (each.detail["machine"], each.detail["from"], each.detail["to"])
            for each in work.audit.of(f"call:{call.id}")
            if each.kind == review.ANSWER_CORRECTED
        ]
        assert changes == [("no", None, "yes"), ("no", "yes", "unclear")]
        told = review.transcript(work, call.id)
        assert told["answers"] == [
            {"question": "needs", "answer": "no", "corrected": "unclear", "why": "再听听不清"}
        ]
        assert [turn["speaker"] for turn in told["turns"]] == ["system", "elder"]


@pytest.mark.parametrize(
    ("question", "answer", "details", "why", "error", "says"),
    [
        ("gas", "safe", (), "听错", NotFound, "没有问过“gas”；问过的：needs"),
        ("needs", "safe", (), "听错", BadInput, "可以是：no、unclear、yes"),
        ("needs", "yes", (), " ", BadInput, "必须说明原因"),
        ("needs", "yes", ("飞机",), "听错", BadInput, "meals（助餐）"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused_with_what_to_do(
    sqlite_store: Store,
    question: str,
    answer: str,
    details: tuple[str, ...],
    why: str,
    error: type[Exception],
    says: str,
) -> None:
    with sqlite_store.begin() as work:
        call = heard(work, "不用", Question.NEEDS)
        with pytest.raises(error, match=says):
            correct_answer(work, call.id, question, answer, details, why, ZHANG, NOW)
        assert work.corrections.of_call(call.id) == []


def test_an_answer_that_was_never_understood_can_be_given_by_ear(sqlite_store: Store) -> None:
    """The question was asked and something was said, but the call broke off before an answer was kept."""
    with sqlite_store.begin() as work:
        call = heard(work, "嗯那个", Question.NEEDS)
        assert correct_answer(work, call.id, "needs", "no", (), "说的是不用", ZHANG, NOW).topic == "needs"
