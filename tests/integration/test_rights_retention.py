"""保存期限: what goes when, what stays, and that a run may be interrupted anywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from rights_cast import FIRST, SECOND, an_elder_with_everything, everything, folders, settle, where
from scheduler_kit import House
from storage_cast import DAY, NOW

from records import retention, rights
from records.retention import Periods
from scheduler.ticks import Service, TickConfig
from storage import Store
from visits.channels import NoticeConfig
from visits.notices import Sender
from web.audio import Sound, look
from xunfang.settings import RetentionSettings, Settings
from xunfang.wiring import kept_files, retention_periods

pytestmark = pytest.mark.integration

LONG_AGO = NOW - 1200 * DAY
AGES = {
    "recordings": 100,
    "transcripts": 400,
    "records": 1200,
}  # days: over the period of each and those before


def aged(store: Store, tmp_path: Path, days: int, closed: bool = True) -> int:
    at = NOW - days * DAY
    with store.begin() as work:
        elder = an_elder_with_everything(work, FIRST, folders(tmp_path), at)
        if closed:
            settle(work, elder, at)
    return elder


def test_nothing_goes_before_its_time(sqlite_url: str, sqlite_store: Store, tmp_path: Path) -> None:
    aged(sqlite_store, tmp_path, 80)
    before = everything(sqlite_url)
    report = retention.run(sqlite_store, Periods(), folders(tmp_path), NOW)
    assert not any(report.rows.values())
    after = everything(sqlite_url)
    assert {name for name in before if before[name] != after[name]} == {"audit"}


def test_recordings_go_first_with_their_peaks(sqlite_url: str, sqlite_store: Store, tmp_path: Path) -> None:
    elder = aged(sqlite_store, tmp_path, 100)
    kept = folders(tmp_path)
    report = retention.run(sqlite_store, Periods(), kept, NOW)
    assert {name: count for name, count in report.rows.items() if count} == {"recordings": 1}
    assert report.files["recordings"] == 1
    assert not [each for each in kept.recordings.rglob("*") if each.is_file()]
    with sqlite_store.read() as work:
        (call,) = work.calls.of_elder(elder)
        assert work.turns.of(call.id)[0].text == f"我头晕{FIRST}"
    assert look(kept.recordings, call.recording).sound is Sound.MISSING  # the page says that there was one
    assert not any(retention.run(sqlite_store, Periods(), kept, NOW).rows.values())


def test_transcripts_go_with_all_their_copies_and_leave_the_numbers(
    database: str, store: Store, tmp_path: Path
) -> None:
    elder = aged(store, tmp_path, 400)
    report = retention.run(store, Periods(), folders(tmp_path), NOW)
    done = {name: count for name, count in report.rows.items() if count}
    assert done == {
        "recordings": 1,
        "transcripts": 1,
        "case_evidence": 1,
        "incoming_numbers": 1,
        "notices": 2,
    }
    gone = {"turn", "answer", "correction", "verdict", "incoming", "notice"}
    left = where(database, FIRST)
    assert not gone & left
    assert {"visit_record", "case", "door_form", "elder"} <= left  # records and 处置情况 have a longer period
    with store.read() as work:
        (call,) = work.calls.of_elder(elder)
        (turn,) = work.turns.of(call.id)
        (answer,) = work.answers.of(call.id)
        assert (turn.alert, turn.confidence, turn.judgement["entries"]) == ("review", 0.9, ["fall.a"])
        assert (answer.topic, answer.answer, answer.details) == ("health", "worse", ())
        (raised,) = [each for each in work.audit.of(f"call:{call.id}") if each.kind == "alert.raised"]
        assert raised.detail == {"alert": "review", "start_s": 1.0}
        assert [each.raised for each in work.verdicts.by_entry()] == [1]


def test_records_go_last_with_photos_and_the_audit(database: str, store: Store, tmp_path: Path) -> None:
    elder = aged(store, tmp_path, 1200)
    kept = folders(tmp_path)
    report = retention.run(store, Periods(), kept, NOW)
    assert all(report.rows[name] for name in retention.TITLES)
    assert not list(kept.photos.iterdir())
    # The ledger is no visit: it stays until the elder asks, or leaves it.
    assert where(database, FIRST) == {
        "account",
        "contact",
        "elder",
        "elder_note",
        "elder_place",
        "call_command",
        "legal_hold",
        "plate",
        "subsidy",
        "visitor",
    }
    with store.read() as work:
        (record,) = work.records.of_elder(elder)
        assert (record.fields, record.reasons, record.risk) == ({}, (), "attention")
        assert work.doorstep.photos_of_elder(elder) == []
        assert [each.kind for each in work.audit.of(f"elder:{elder}")] == []


@pytest.mark.parametrize("age", AGES.values())
def test_a_dry_run_counts_what_a_run_erases_and_touches_nothing(
    sqlite_url: str, sqlite_store: Store, tmp_path: Path, age: int
) -> None:
    aged(sqlite_store, tmp_path, age)
    before = everything(sqlite_url)
    planned = retention.run(sqlite_store, Periods(), folders(tmp_path), NOW, dry_run=True)
    assert everything(sqlite_url) == before
    done = retention.run(sqlite_store, Periods(), folders(tmp_path), NOW)
    assert planned.rows == done.rows


def test_a_period_of_nought_keeps_for_ever(sqlite_url: str, sqlite_store: Store, tmp_path: Path) -> None:
    aged(sqlite_store, tmp_path, 1200)
    left = where(sqlite_url, FIRST)
    report = retention.run(sqlite_store, Periods(0, 0, 0, 0, 0), folders(tmp_path), NOW)
    assert report.rows == {}
    assert where(sqlite_url, FIRST) == left
    assert "recordings" in retention.run(sqlite_store, Periods(1, 0, 0, 0, 0), folders(tmp_path), NOW).rows


def test_an_open_case_an_undone_review_and_a_hold_keep_the_evidence(
    database: str, store: Store, tmp_path: Path
) -> None:
    elder = aged(store, tmp_path, 1200, closed=False)
    kept = folders(tmp_path)

    def erased() -> set[str]:
        report = retention.run(store, Periods(access=0), kept, NOW, dry_run=True)
        return {name for name, count in report.rows.items() if count}

    assert erased() == {"notices"}  # to a contact: a summary, of no case
    with store.begin() as work:
        settle(work, elder, LONG_AGO)
        case = work.cases.get(1)
        assert case is not None
        held = rights.hold(work, elder, "信访", "user:du", NOW, case.id)
    assert erased() == {"notices"}
    with store.begin() as work:
        rights.release(work, held.id, "user:du", NOW)
    assert erased() == set(retention.TITLES) - {"audit"}


def test_a_hold_on_a_case_does_not_keep_what_is_older_or_younger(store: Store, tmp_path: Path) -> None:
    with store.begin() as work:
        first = an_elder_with_everything(work, FIRST, folders(tmp_path), NOW - 1000 * DAY)
        settle(work, first, NOW - 999 * DAY)
        later = work.calls.begin(
            plan_id=None,
            elder_id=first,
            attempt=1,
            dialplan="x",
            dialplan_hash="x",
            intended_at=NOW - 900 * DAY,
        )
        work.calls.finish(later.id, ended_at=NOW - 900 * DAY, disposition=work.calls.get(1).disposition)  # type: ignore[union-attr]
        rights.hold(work, first, "信访", "user:du", NOW, 1)
    assert retention.run(store, Periods(), folders(tmp_path), NOW).rows["transcripts"] == 1
    with store.read() as work:
        assert work.turns.of(1)[0].text


def test_the_audit_of_a_held_elder_stays(store: Store, tmp_path: Path) -> None:
    elder = aged(store, tmp_path, 1200)
    with store.begin() as work:
        rights.hold(work, elder, "信访", "user:du", NOW)
    retention.run(store, Periods(), folders(tmp_path), NOW)
    with store.read() as work:
        assert [each.kind for each in work.audit.of("call:1")][-1] == "recording.played"


def test_many_go_in_batches_and_what_was_erased_is_written_down_without_content(
    sqlite_store: Store, tmp_path: Path
) -> None:
    elder = aged(sqlite_store, tmp_path, 400)
    with sqlite_store.begin() as work:
        for _ in range(6):
            at = NOW - 400 * DAY
            call = work.calls.begin(
                plan_id=None, elder_id=elder, attempt=1, dialplan="x", dialplan_hash="x", intended_at=at
            )
            work.calls.finish(call.id, ended_at=at, disposition=work.calls.get(1).disposition)  # type: ignore[union-attr]
    report = retention.run(sqlite_store, replace(Periods(), recordings=0), folders(tmp_path), NOW, batch=3)
    assert report.rows["transcripts"] == 7
    with sqlite_store.read() as work:
        entries = work.audit.of(retention.SUBJECT)
    batches = [each.detail["ids"] for each in entries if each.detail.get("kind") == "transcripts"]
    assert [len(each) for each in batches] == [3, 3, 1]
    assert sorted(id for each in batches for id in each) == list(range(1, 8))
    ran = next(each for each in entries if each.kind == retention.RAN)
    assert ran.detail["rows"]["transcripts"] == 7
    assert FIRST not in json.dumps([each.detail for each in entries], ensure_ascii=False)


def test_a_run_that_was_killed_after_the_file_goes_on_with_its_row(
    sqlite_store: Store, tmp_path: Path
) -> None:
    elder = aged(sqlite_store, tmp_path, 100)
    kept = folders(tmp_path)
    (kept.recordings / f"2026/11/{elder}.wav").unlink()
    report = retention.run(sqlite_store, Periods(), kept, NOW)
    assert (report.rows["recordings"], report.files["recordings"]) == (1, 0)
    assert not [each for each in kept.recordings.rglob("*") if each.is_file()]


def test_a_file_that_cannot_be_removed_is_tried_again(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(sqlite_store, tmp_path, 100)
    kept = folders(tmp_path)

    def stuck(folder: Path, recording: str) -> bool:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(retention, "remove_recording", stuck)
        report = retention.run(sqlite_store, Periods(), kept, NOW)
    assert (report.rows["recordings"], report.failed) == (0, 1)
    assert retention.run(sqlite_store, Periods(), kept, NOW).rows["recordings"] == 1


def test_it_works_once_a_day_and_again_after_a_day_that_was_interrupted(
    sqlite_store: Store, tmp_path: Path
) -> None:
    def daily(now: datetime) -> bool:
        kept = folders(tmp_path)
        return (
            retention.run_daily(sqlite_store, Periods(), kept, now, lambda at: at.date(), "host") is not None
        )

    assert daily(NOW)
    assert not daily(NOW + timedelta(hours=3))
    assert daily(NOW + DAY)
    with sqlite_store.begin() as work:
        work.recurring.began(retention.SUBJECT, NOW + 2 * DAY, "another")  # and died
    assert daily(NOW + 2 * DAY + timedelta(hours=1))


def test_others_are_not_touched(sqlite_url: str, sqlite_store: Store, tmp_path: Path) -> None:
    aged(sqlite_store, tmp_path, 1200)
    with sqlite_store.begin() as work:
        an_elder_with_everything(work, SECOND, folders(tmp_path))
    before = where(sqlite_url, SECOND)
    retention.run(sqlite_store, Periods(), folders(tmp_path), NOW)
    assert where(sqlite_url, SECOND) == before


def test_the_running_service_erases_what_is_over_its_period(sqlite_store: Store, tmp_path: Path) -> None:
    """As it is wired: the settings' periods, the house's folders, the service's own thread."""
    house = House(sqlite_store, tmp_path)
    elder = aged(sqlite_store, tmp_path, 100)
    settings = Settings(folder=tmp_path, retention=RetentionSettings(recordings_days=99))
    done = Event()

    def daily() -> None:
        retention.run_daily(
            sqlite_store, retention_periods(settings), kept_files(settings), NOW, lambda at: at.date(), "here"
        )
        done.set()

    ticks = TickConfig(plan_s=3600, dispatch_s=3600, notices_s=3600, cases_s=3600, retention_s=0.05)
    sender = Sender(sqlite_store, house.clock, NoticeConfig())
    service = Service(
        sqlite_store, house.clock, house.policy, house.dispatcher, sender, ticks, retention=daily
    )
    service.start()
    try:
        assert done.wait(10)
    finally:
        service.stop()
    assert not (tmp_path / "recordings" / f"2026/11/{elder}.wav").exists()
    with sqlite_store.read() as work:
        assert work.rights.recordings(elder) == []
