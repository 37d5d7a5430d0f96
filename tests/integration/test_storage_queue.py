"""Cases, notices and the audit on both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from storage_cast import DAY, MINUTE, NAME, NOW, a_call, a_case, an_elder

from storage import Store
from xunfang.errors import BadInput, StorageError
from xunfang.vocabulary import CaseKind, CaseStatus, Priority

pytestmark = pytest.mark.integration


def test_a_case_comes_back_as_opened(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        visitor = work.visitors.add(name="村委小张")
        call = a_call(work, elder)
        case = a_case(work, elder, call_id=call.id, visitor_id=visitor.id, visitor_why="本村")
    with store.read() as work:
        assert work.cases.get(case.id) == case
        assert work.cases.open_for(elder.id) == case
        assert work.cases.open_for(999) is None
        assert work.cases.get(999) is None
    assert case.status is CaseStatus.OPEN
    assert case.summary.startswith(NAME)
    assert case.evidence == ({"call": 1, "quote": "无人接听"},)


def test_an_elder_has_one_open_case_and_the_transaction_survives_the_attempt(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        first = a_case(work, elder)
        with pytest.raises(StorageError, match="already has an open case"):
            a_case(work, elder)
        assert work.cases.close(first.id, "已上门，老人平安", NOW)
        second = a_case(work, elder)
    with store.read() as work:
        assert work.cases.open_for(elder.id) == second
        assert [case.id for case in work.cases.of_elder(elder.id)] == [second.id, first.id]
        assert work.cases.of_elder(elder.id, before_id=first.id) == []


def test_merging_never_lowers_the_priority_nor_moves_the_deadline_away(store: Store) -> None:
    with store.begin() as work:
        case = a_case(work, an_elder(work), priority=Priority.HIGH)
        urgent = work.cases.merge(
            case.id,
            kind=CaseKind.DISTRESS,
            priority=Priority.URGENT,
            deadline=NOW + MINUTE,
            evidence=[{"quote": "胸口疼"}],
            summary="胸口疼",
        )
        assert urgent == replace(
            case,
            kind=CaseKind.DISTRESS,
            priority=Priority.URGENT,
            deadline=NOW + MINUTE,
            evidence=(*case.evidence, {"quote": "胸口疼"}),
            summary="胸口疼",
            merged=1,
        )
        calm = work.cases.merge(case.id, kind=CaseKind.DISTRESS, priority=Priority.NORMAL, deadline=NOW + DAY)
        assert calm == replace(urgent, merged=2)
        assert work.cases.get(case.id) == calm


def test_a_closed_case_takes_no_further_reason(store: Store) -> None:
    with store.begin() as work:
        case = a_case(work, an_elder(work))
        work.cases.close(case.id, "平安", NOW)
        with pytest.raises(StorageError, match="no longer open"):
            work.cases.merge(case.id, kind=CaseKind.REQUEST, priority=Priority.HIGH, deadline=NOW)


def test_the_queue_shows_the_worst_first_then_the_nearest_deadline_page_by_page(store: Store) -> None:
    with store.begin() as work:
        order = [
            (Priority.NORMAL, NOW),
            (Priority.URGENT, NOW + DAY),
            (Priority.HIGH, NOW + MINUTE),
            (Priority.URGENT, NOW + MINUTE),
            (Priority.HIGH, NOW + MINUTE),
        ]
        cases = [
            a_case(work, an_elder(work, phone=""), priority=priority, deadline=deadline)
            for priority, deadline in order
        ]
        closed = a_case(work, an_elder(work, phone=""), priority=Priority.URGENT, deadline=NOW)
        work.cases.close(closed.id, "平安", NOW)
        expected = [cases[n] for n in (3, 1, 2, 4, 0)]
        assert work.cases.queue() == expected
        seen, after = [], None
        while page := work.cases.queue(limit=2, after=after):
            seen += page
            after = page[-1]
    assert seen == expected


def test_a_status_is_taken_by_the_first_who_expects_rightly(store: Store) -> None:
    with store.begin() as work:
        case = a_case(work, an_elder(work))
        assert work.cases.set_status(case.id, CaseStatus.ASSIGNED, expected=CaseStatus.OPEN)
        assert not work.cases.set_status(case.id, CaseStatus.ASSIGNED, expected=CaseStatus.OPEN)
        assert not work.cases.set_status(999, CaseStatus.ASSIGNED, expected=CaseStatus.OPEN)
        with pytest.raises(BadInput, match="处置情况"):
            work.cases.set_status(case.id, CaseStatus.CLOSED, expected=CaseStatus.ASSIGNED)


def test_a_referred_case_stays_in_the_queue_until_a_human_closes_it(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        case = a_case(work, elder)
        assert work.cases.set_status(case.id, CaseStatus.REFERRED, expected=CaseStatus.OPEN)
        assert [found.id for found in work.cases.queue()] == [case.id]
        assert work.cases.open_for(elder.id) is not None


def test_a_case_is_closed_once_and_only_with_a_note(store: Store) -> None:
    with store.begin() as work:
        case = a_case(work, an_elder(work))
        with pytest.raises(BadInput, match="处置情况"):
            work.cases.close(case.id, "  ", NOW)
        assert work.cases.close(case.id, " 已上门 ", NOW)
        assert not work.cases.close(case.id, "又一次", NOW + DAY)
        assert work.cases.get(case.id) == replace(
            case, status=CaseStatus.CLOSED, disposition_note="已上门", closed_at=NOW
        )
        assert not work.cases.set_visitor(case.id, None, "")
        assert not work.cases.set_status(case.id, CaseStatus.OPEN, expected=CaseStatus.CLOSED)


def test_a_visitor_is_named_with_the_reason(store: Store) -> None:
    with store.begin() as work:
        case = a_case(work, an_elder(work))
        visitor = work.visitors.add(name="王建国", kind="child")
        assert work.cases.set_visitor(case.id, visitor.id, "子女同住本地")
        assert work.cases.get(case.id) == replace(case, visitor_id=visitor.id, visitor_why="子女同住本地")


def test_a_notice_waits_is_leased_and_comes_back_when_its_sender_dies(store: Store) -> None:
    with store.begin() as work:
        case = a_case(work, an_elder(work))
        notice = work.notices.add(
            kind="case.opened", to="duty", title="紧急", body=f"{NAME}胸口疼", case_id=case.id, created_at=NOW
        )
        later = work.notices.add(
            kind="case.opened", to="visitor:1", title="b", body="", created_at=NOW, next_at=NOW + DAY
        )
        assert notice.body == f"{NAME}胸口疼"
        assert work.notices.pending(NOW - MINUTE) == []
        assert work.notices.pending(NOW) == [notice]
        assert work.notices.claim(notice.id, NOW, lease_s=60)
        assert not work.notices.claim(notice.id, NOW, lease_s=60)
        assert work.notices.pending(NOW) == []
        assert work.notices.pending(NOW + MINUTE) == [replace(notice, attempts=1, next_at=NOW + MINUTE)]
        assert work.notices.claim(notice.id, NOW + MINUTE, lease_s=60)
        assert work.notices.sent(notice.id, NOW + MINUTE)
        assert not work.notices.sent(notice.id, NOW + MINUTE)
        assert not work.notices.claim(notice.id, NOW + DAY, lease_s=60)
        assert work.notices.pending(NOW + DAY) == [later]
        assert work.notices.of_case(case.id) == [work.notices.get(notice.id)]
        assert not work.notices.claim(999, NOW, lease_s=60)


def test_a_failed_notice_is_tried_again_when_told(store: Store) -> None:
    with store.begin() as work:
        notice = work.notices.add(kind="breaker.opened", to="webhook", title="", body="", created_at=NOW)
        work.notices.claim(notice.id, NOW, lease_s=60)
        work.notices.failed(notice.id, "x" * 900, NOW + 5 * MINUTE)
        assert work.notices.pending(NOW + MINUTE) == []
        found = work.notices.pending(NOW + 5 * MINUTE)
        assert found == [replace(notice, attempts=1, last_error="x" * 500, next_at=NOW + 5 * MINUTE)]
        work.notices.sent(notice.id, NOW + 6 * MINUTE)
        assert work.notices.get(notice.id) == replace(found[0], sent_at=NOW + 6 * MINUTE, last_error="")


def test_the_audit_tells_the_story_of_one_subject_in_order(store: Store) -> None:
    with store.begin() as work:
        first = work.audit.write(
            NOW, "system", "case.opened", "case:1", {"kind": "distress", "why": "胸口疼"}
        )
        work.audit.write(NOW, "system", "case.opened", "case:2")
        second = work.audit.write(NOW, "user:7", "duplicate_suppressed", "case:1")
        assert work.audit.of("case:1") == [first, second]
        assert work.audit.of("case:1", limit=1) == [first]
        assert work.audit.of("case:1", after_id=first.id) == [second]
        assert first.detail == {"kind": "distress", "why": "胸口疼"}
        assert second.detail == {}
