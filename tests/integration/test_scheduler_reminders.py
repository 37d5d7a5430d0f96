"""The service reminds of cases by itself, as one more of its ticks."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scheduler_kit import House, ends

from scheduler.ticks import Service, TickConfig
from storage import Store
from visits.channels import NoticeConfig
from visits.model import CaseDraft
from visits.notices import Sender
from visits.service import open_case
from xunfang.vocabulary import CallDisposition, CaseKind, CaseLevel, Priority

pytestmark = pytest.mark.integration


def test_a_service_that_starts_rings_for_what_was_left_lying(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(sqlite_store, tmp_path)
    elder = house.elder("13812340001", ends(CallDisposition.NO_ANSWER))
    now = house.clock.now()
    with sqlite_store.begin() as work:
        draft = CaseDraft(elder.id, CaseKind.DISTRESS, Priority.URGENT, now + timedelta(minutes=30), "救命")
        case = open_case(work, draft, now)
    house.clock.move(timedelta(hours=2))
    sender = Sender(sqlite_store, house.clock, NoticeConfig())
    ticks = TickConfig(plan_s=3600, dispatch_s=3600, notices_s=3600, cases_s=3600)
    service = Service(sqlite_store, house.clock, house.policy, house.dispatcher, sender, ticks)
    reminded = threading.Event()
    real = service.remind

    def remind() -> Any:
        real()
        reminded.set()

    monkeypatch.setattr(service, "remind", remind)
    service.start()
    try:
        assert reminded.wait(10), "the first look comes at once, not after its interval"
    finally:
        service.stop()
    with sqlite_store.read() as work:
        found = work.cases.get(case.id)
        kinds = [each.kind for each in work.audit.of(f"case:{case.id}")]
    assert found is not None
    assert found.level is CaseLevel.VILLAGE
    assert kinds.count("case.escalated") == 1
