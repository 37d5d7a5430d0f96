"""Copy, erasure, holds and access log of what is held on an elder."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from docx import Document
from rights_cast import FIRST, PNG, SECOND, an_elder_with_everything, everything, folders, settle, where
from storage_cast import DAY, NOW

from records import rights
from storage import Store
from storage.personal import TABLES
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CaseStatus, ConsentPurpose, PlanStatus, Priority, Risk

pytestmark = pytest.mark.integration

ZONE = ZoneInfo("Asia/Shanghai")
DU = "user:du"
WHY = "本人书面申请"
EVERY_TABLE = {each.table.name for each in TABLES}


@pytest.fixture
def two(store: Store, tmp_path: Path) -> tuple[int, int]:
    with store.begin() as work:
        first = an_elder_with_everything(work, FIRST, folders(tmp_path))
        second = an_elder_with_everything(work, SECOND, folders(tmp_path))
    return first, second


def test_the_copy_holds_rows_of_every_table_and_of_nobody_else(
    store: Store, two: tuple[int, int], tmp_path: Path
) -> None:
    out = tmp_path / "out.zip"
    done = rights.export(store, two[0], out, folders(tmp_path), NOW, ZONE, DU)
    assert set(done.rows) == EVERY_TABLE
    assert (done.recordings, done.photos, done.missing) == (1, 1, 0)
    assert out.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        data = archive.read("数据.json").decode()
        told = archive.read("说明.txt").decode()
        form = Document(io.BytesIO(archive.read("服务记录表.docx")))
        assert [archive.read(each) for each in names if each.startswith("照片/")] == [PNG]
        assert [each for each in names if each.startswith("录音/")] == ["录音/通话1.wav"]
    held = json.loads(data)
    assert {name for name, table in held.items() if table["内容"]} == EVERY_TABLE
    assert FIRST in data
    assert SECOND not in data + told
    assert held["elder"]["内容"][0]["phone"] == "13812340001"
    for each in TABLES:
        assert each.title in told
        assert not set(each.inside.split()) & set(held[each.table.name]["内容"][0])
    assert any(f"王{FIRST}" in cell.text for table in form.tables for row in table.rows for cell in row.cells)
    with store.read() as work:
        (entry,) = [each for each in work.audit.of(f"elder:{two[0]}") if each.kind == rights.EXPORTED]
        assert entry.actor == DU
        assert FIRST not in json.dumps(entry.detail, ensure_ascii=False)


def test_a_copy_names_the_files_that_are_gone(store: Store, two: tuple[int, int], tmp_path: Path) -> None:
    kept = folders(tmp_path)
    (kept.recordings / f"2026/11/{two[0]}.wav").unlink()
    out = tmp_path / "out.zip"
    assert rights.export(store, two[0], out, kept, NOW, ZONE, DU).missing == 1
    with zipfile.ZipFile(out) as archive:
        assert "文件已不在的：通话1的录音" in archive.read("说明.txt").decode()


def test_a_copy_that_cannot_be_written_leaves_nothing(
    store: Store, two: tuple[int, int], tmp_path: Path
) -> None:
    with pytest.raises(BadInput):
        rights.export(store, two[0], tmp_path / "no" / "out.zip", folders(tmp_path), NOW, ZONE, DU)
    with pytest.raises(NotFound):
        rights.export(store, 999, tmp_path / "out.zip", folders(tmp_path), NOW, ZONE, DU)
    assert not list(tmp_path.glob("*.part"))
    with store.read() as work:
        assert not [each for each in work.audit.of(f"elder:{two[0]}") if each.kind == rights.EXPORTED]


def test_erasing_leaves_nothing_of_the_elder_and_everything_of_the_others(
    database: str, store: Store, two: tuple[int, int], tmp_path: Path
) -> None:
    kept = folders(tmp_path)
    others = where(database, SECOND)
    assert where(database, FIRST) == others
    planned = rights.erase(store, two[0], WHY, DU, kept, NOW, dry_run=True)
    assert set(planned.rows) == EVERY_TABLE
    assert where(database, FIRST) == others
    done = rights.erase(store, two[0], WHY, DU, kept, NOW)
    assert (done.recordings, done.photos) == (1, 1)
    assert where(database, FIRST) == set()
    assert where(database, SECOND) == others
    stored = "\n".join(everything(database).values())
    for hidden in ("13812340001", "13900000001", "13700000001", "138****0001", "11010519491231002X"):
        assert hidden not in stored
    for still in ("13812340002", "13900000002", "13700000002", "138****0002", "110105194912310038"):
        assert still in stored
    files = sorted(each.name for each in kept.recordings.rglob("*") if each.is_file())
    assert files == [f"{two[1]}.wav", f"{two[1]}.wav.peaks.json"]
    assert len(list(kept.photos.iterdir())) == 1


def test_after_an_erasure_nothing_more_happens_and_the_numbers_stay(
    store: Store, two: tuple[int, int], tmp_path: Path
) -> None:
    first = two[0]
    done = rights.erase(store, first, WHY, DU, folders(tmp_path), NOW)
    assert done.ended == {
        "plans": 1,
        "contact_calls": 1,
        "reviews": 1,
        "commands": 1,
        "cases": 1,
        "plates": 1,
        "sessions": 0,
        "consents": len(ConsentPurpose),
    }
    with store.read() as work:
        elder = work.elders.get(first)
        assert elder is not None
        assert (elder.active, elder.name, elder.phone) == (False, "（已删除）", "")
        assert work.cases.open_for(first) is None
        assert not any(work.consents.current(first, purpose) for purpose in ConsentPurpose)
        (call,) = work.calls.of_elder(first)
        (record,) = work.records.of_elder(first)
        (turn,) = work.turns.of(call.id)
        assert (record.risk, record.fields, record.plan_id) == (Risk.ATTENTION, {}, call.plan_id)
        assert (turn.text, turn.judgement["entries"]) == ("", ["fall.a"])
        assert call.disposition is not None
        plan = work.plans.of_period(first, "2026-W47")
        assert plan is not None
        assert plan.status is PlanStatus.PAUSED
        assert first not in {each.elder_id for each in work.contact_calls.due(NOW + 9 * DAY, 9)}
        assert [each.status for each in (work.cases.get(1),) if each] == [CaseStatus.CLOSED]
        assert not work.notices.of_case(1)
        user = work.accounts.by_login(f"child{first}")
        assert user is not None
        assert not user.active
        (proof,) = [each for each in work.audit.of(f"elder:{first}") if each.kind == rights.ERASED]
        assert proof.detail["grounds"] == WHY
    again = rights.erase(store, first, WHY, DU, folders(tmp_path), NOW + DAY)
    assert (again.recordings, again.photos, again.ended["plans"], again.ended["consents"]) == (0, 0, 0, 0)
    with store.read() as work:
        proofs = [
            each.detail["grounds"] for each in work.audit.of(f"elder:{first}") if each.kind == rights.ERASED
        ]
        assert proofs == [WHY, WHY]


def test_a_visitor_who_was_to_go_is_told_that_he_need_not_and_nothing_else(
    store: Store, two: tuple[int, int], tmp_path: Path
) -> None:
    asked = {}
    with store.begin() as work:
        village = work.visitors.add(name="周巡访", phone="13912340009")
        for number, (elder, status) in enumerate(
            ((two[0], CaseStatus.ASSIGNED), (two[1], CaseStatus.VISITED)), start=1
        ):
            case = work.cases.open_for(elder)
            assert case is not None
            step = {"visitor_id": village.id, "status": status, "visited_at": NOW if number == 2 else None}
            assert work.cases.advance(case, replace(case, **step), look_at=NOW)
            asked[elder] = case.id
        before = {each.id for each in work.notices.pending(NOW, 100)}
    for elder in two:
        rights.erase(store, elder, WHY, DU, folders(tmp_path), NOW)
    with store.read() as work:
        new = [each for each in work.notices.pending(NOW, 100) if each.id not in before]
        (closed,) = [each for each in work.audit.of(f"case:{asked[two[0]]}") if each.kind == "case.closed"]
    (told,) = new  # who has been there is not
    assert (told.to, told.title) == (f"visitor:{village.id}", "一项任务已取消")
    assert told.body == f"案件{asked[two[0]]}的上门任务已取消，不用再去。"
    assert told.case_id is None
    assert closed.detail["told"] == f"visitor:{village.id}"
    rights.erase(store, two[0], WHY, DU, folders(tmp_path), NOW + DAY)
    with store.read() as work:
        assert [each for each in work.notices.pending(NOW + DAY, 100) if each.id not in before] == [told]


def test_an_open_urgent_case_a_live_call_and_a_hold_stand_against_erasure(
    store: Store, tmp_path: Path
) -> None:
    kept = folders(tmp_path)
    with store.begin() as work:
        first = an_elder_with_everything(work, FIRST, kept, priority=Priority.URGENT)
    with pytest.raises(Conflict, match="紧急案件"):
        rights.erase(store, first, WHY, DU, kept, NOW)
    with store.begin() as work:
        settle(work, first, NOW)
        live = work.calls.begin(
            plan_id=None, elder_id=first, attempt=1, dialplan="x", dialplan_hash="x", intended_at=NOW
        )
    with pytest.raises(Conflict, match="正在与这位老人通话"):
        rights.erase(store, first, WHY, DU, kept, NOW)
    with store.begin() as work:
        work.calls.finish(live.id, ended_at=NOW, disposition=work.calls.get(1).disposition)  # type: ignore[union-attr]
        held = rights.hold(work, first, "信访核查", DU, NOW)
    with pytest.raises(Conflict, match="暂停删除"):
        rights.erase(store, first, WHY, DU, kept, NOW, dry_run=True)
    with store.begin() as work:
        rights.release(work, held.id, DU, NOW)
        with pytest.raises(Conflict, match="已经解除"):
            rights.release(work, held.id, DU, NOW)
    for why in ("", " ", "长" * 201):
        with pytest.raises(BadInput):
            rights.erase(store, first, why, DU, kept, NOW)
    with pytest.raises(NotFound):
        rights.erase(store, 999, WHY, DU, kept, NOW)
    assert (kept.recordings / f"2026/11/{first}.wav").exists()
    rights.erase(store, first, WHY, DU, kept, NOW)
    assert not (kept.recordings / f"2026/11/{first}.wav").exists()


def test_the_access_log_tells_of_this_elder_only(store: Store, two: tuple[int, int], tmp_path: Path) -> None:
    rights.export(store, two[0], tmp_path / "out.zip", folders(tmp_path), NOW, ZONE, DU)
    with store.read() as work:
        kinds = [(each.kind, each.actor) for each in work.rights.accessed(two[0], rights.ACCESS_ZH)]
    assert kinds == [(rights.EXPORTED, DU), ("recording.played", DU)]


def test_a_hold_belongs_to_an_elder_and_his_own_case(store: Store, two: tuple[int, int]) -> None:
    with store.begin() as work:
        other = work.cases.open_for(two[1])
        assert other is not None
        with pytest.raises(NotFound):
            rights.hold(work, two[0], "信访", DU, NOW, other.id)
        with pytest.raises(BadInput):
            rights.hold(work, two[0], " ", DU, NOW)
        rights.hold(work, two[1], "信访", DU, NOW, other.id)
        assert [each.elder_id for each in work.rights.holds()] == [two[1]]
