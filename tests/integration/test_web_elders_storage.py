"""The timeline and the newest records, on both engines."""

from __future__ import annotations

import pytest
from storage_cast import DAY, MINUTE, NOW, a_call, a_case, an_elder

from storage import Store
from storage.model import AuditEntry, Call, Case, Consent, Verdict, VisitRecord
from xunfang.vocabulary import Alert, ConsentPurpose, ReviewVerdict, Risk, VisitMode

pytestmark = pytest.mark.integration


def test_everything_of_one_elder_comes_once_in_one_order_however_it_is_paged(store: Store) -> None:
    with store.begin() as work:
        elder, other = an_elder(work), an_elder(work, phone="13812340002")
        for who in (elder, other):
            for day in range(4):
                at = NOW - day * DAY
                call = a_call(work, who, intended_at=at)
                work.records.put(
                    elder_id=who.id,
                    plan_id=None,
                    call_id=call.id,
                    mode=VisitMode.PHONE,
                    visited_at=at,
                    fields={},
                )
                work.verdicts.add(
                    call_id=call.id,
                    turn_seq=1,
                    alert=Alert.REVIEW,
                    verdict=ReviewVerdict.CONFIRMED,
                    reason="属实",
                    by="user:du",
                    at=at,
                )
                work.audit.write(at, "user:du", "number.revealed", f"elder:{who.id}", {"field": "phone"})
                work.audit.write(at, "user:du", "consent.given", f"elder:{who.id}", {})
                work.consents.add(who.id, ConsentPurpose.RECORDING, True, at, "paper")
        a_case(work, elder, opened_at=NOW - MINUTE)
        whole = work.timeline.page(elder.id, None, 100)
        assert len(whole) == 4 * 5 + 1
        assert {type(each.what) for each in whole} == {Call, VisitRecord, Case, Verdict, Consent, AuditEntry}
        assert [each.key for each in whole] == sorted((each.key for each in whole), reverse=True)
        assert {getattr(each.what, "elder_id", elder.id) for each in whole} == {elder.id}
        for rows in (1, 4, 7):
            paged, before = [], None
            while part := work.timeline.page(elder.id, before, rows):
                paged += part
                before = part[-1].key
            assert paged == whole


def test_the_newest_record_of_each_elder_is_found_for_a_whole_page(store: Store) -> None:
    with store.begin() as work:
        elders = [an_elder(work, phone=f"1381234{at:04d}") for at in range(3)]
        for at, elder in enumerate(elders[:2]):
            for day, risk in ((2, Risk.NORMAL), (1, Risk.URGENT), (3, Risk.ATTENTION)):
                work.records.put(
                    elder_id=elder.id,
                    plan_id=None,
                    call_id=None,
                    mode=VisitMode.ON_SITE,
                    visited_at=NOW - (day + at) * DAY,
                    fields={},
                    risk=risk,
                )
        found = work.timeline.newest_records([each.id for each in elders])
        assert {id: each.risk for id, each in found.items()} == {
            elders[0].id: Risk.URGENT,
            elders[1].id: Risk.URGENT,
        }
        assert work.timeline.newest_records([]) == {}
