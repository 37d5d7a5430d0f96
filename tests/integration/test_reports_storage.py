"""Subsidy clues, summaries, archives and PDF over a real database."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from docx import Document
from PIL import Image
from reports_cast import FIELDS, a_record, agrees, poor
from storage_cast import DAY, NOW, PHONE, a_call, a_case, an_elder

from records import archive, document, pdf, subsidies
from records.indicators import month_of
from records.model import FORM
from storage import Store
from storage.files import SealedFiles
from storage.model import Notice
from visits import summary
from visits.channels import NoticeConfig
from visits.notices import Sender
from xunfang.clock import FixedClock
from xunfang.errors import BadInput, Conflict
from xunfang.vocabulary import (
    CallDisposition,
    ConsentPurpose,
    DoorOutcome,
    DoorPhotoKind,
    Subsidy,
    SubsidyStatus,
    VisitMode,
)

pytestmark = pytest.mark.integration

ZONE = ZoneInfo("Asia/Shanghai")
MONTH = month_of("2026-11", ZONE)
RULES = subsidies.load_rules()


def a_poor_elder(store: Store) -> int:
    with store.begin() as work:
        elder = an_elder(work, birth_date=date(1940, 5, 1))
        call = a_call(work, elder)
        work.calls.finish(call.id, ended_at=NOW, disposition=CallDisposition.COMPLETED)
        poor(work, call.id)
        a_record(work, elder.id, call.id)
    return elder.id


def clues(store: Store) -> dict[Subsidy, SubsidyStatus]:
    with store.read() as work:
        return {each.benefit: each.status for each in work.subsidies.page()}


# ---- clues ---------------------------------------------------------------------------------------------


def test_what_was_answered_becomes_a_clue_once(store: Store) -> None:
    elder = a_poor_elder(store)
    assert subsidies.sweep(store, RULES, NOW, ZONE).records == 1
    expected = {Subsidy.LOW_INCOME: SubsidyStatus.NEW, Subsidy.ADVANCED_AGE: SubsidyStatus.NEW}
    assert clues(store) == expected
    assert subsidies.sweep(store, RULES, NOW, ZONE).records == 0
    assert subsidies.sweep(store, RULES, NOW, ZONE, anew=True).records == 1
    assert clues(store) == expected
    with store.read() as work:
        (low, aged) = work.subsidies.of_elder(elder)
        said = work.subsidies.said([low, aged])
    assert subsidies.evidence_zh(low, said) == ["通话中说：“钱不够花”"]
    assert subsidies.evidence_zh(aged, said) == ["台账：86周岁", "通话中说：“钱不够花”"]
    assert subsidies.evidence_zh(low, {}) == ["通话中的回答（原话已按规定清除）"]


def test_an_answer_that_a_supervisor_corrected_counts_as_he_heard_it(store: Store) -> None:
    elder = a_poor_elder(store)
    with store.begin() as work:
        call = work.calls.of_elder(elder)[0]
        work.corrections.add(
            call_id=call.id,
            question="economy",
            topic="economy",
            answer="enough",
            why="听录音",
            by="user:du",
            at=NOW,
        )
    subsidies.sweep(store, RULES, NOW, ZONE)
    assert clues(store) == {}


def test_of_two_who_decide_at_once_the_second_is_told(store: Store) -> None:
    elder = a_poor_elder(store)
    subsidies.sweep(store, RULES, NOW, ZONE)
    with store.begin() as work:
        clue = work.subsidies.of_elder(elder)[0]
        told = subsidies.decide(work, clue.id, SubsidyStatus.TOLD, "user:du", NOW, seen="new")
        assert (told.status, told.decided_by) == (SubsidyStatus.TOLD, "user:du")
        with pytest.raises(Conflict):
            subsidies.decide(work, clue.id, SubsidyStatus.APPLIED, "user:shen", NOW, seen="new")
        assert [each.kind for each in work.audit.of(f"elder:{elder}")] == ["subsidy.decided"]


def test_not_entitled_needs_a_reason_and_comes_back_after_half_a_year(store: Store) -> None:
    elder = a_poor_elder(store)
    subsidies.sweep(store, RULES, NOW, ZONE)
    with store.begin() as work:
        clue = work.subsidies.of_elder(elder)[0]
        with pytest.raises(BadInput):
            subsidies.decide(work, clue.id, SubsidyStatus.NOT_ELIGIBLE, "user:du", NOW, note=" ")
        subsidies.decide(work, clue.id, SubsidyStatus.NOT_ELIGIBLE, "user:du", NOW, note="收入超过标准")
    soon, late = NOW + 30 * DAY, NOW + 181 * DAY
    subsidies.sweep(store, RULES, soon, ZONE, anew=True)
    assert clues(store)[clue.benefit] is SubsidyStatus.NOT_ELIGIBLE
    subsidies.sweep(store, RULES, late, ZONE, anew=True)
    assert clues(store)[clue.benefit] is SubsidyStatus.NEW


def test_what_was_applied_for_stands_on_the_form(sqlite_store: Store) -> None:
    elder = a_poor_elder(sqlite_store)
    subsidies.sweep(sqlite_store, RULES, NOW, ZONE)
    with sqlite_store.begin() as work:
        clue = work.subsidies.of_elder(elder)[0]
        subsidies.decide(work, clue.id, SubsidyStatus.APPLIED, "user:du", NOW)
        assert document.gather(work, elder).applied == ("城乡低保",)


# ---- summaries -----------------------------------------------------------------------------------------


class Caught:
    """Stands for the SMS service."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, notice: Notice, phone: str, now: object) -> None:
        self.sent.append((phone, notice.title + notice.body))


def deliver(store: Store) -> list[tuple[str, str]]:
    caught = Caught()
    Sender(store, FixedClock(NOW), NoticeConfig(), person=caught).tick()
    return caught.sent


def test_children_are_told_by_consent_and_once_a_month(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        told = work.contacts.add(elder_id=elder.id, position=1, phone="13900000001", may_be_told=True)
        other = work.contacts.add(elder_id=elder.id, position=2, phone="13900000002")
        a_record(work, elder.id)
        agrees(work, elder.id, ConsentPurpose.FAMILY_NOTICE, ConsentPurpose.HEALTH_DATA)
    first = summary.send_all(store, MONTH, NOW, ZONE, "user:du")
    assert (first.sent, first.not_sent) == (1, 1)
    assert summary.send_all(store, MONTH, NOW, ZONE, "user:du").sent == 0
    ((phone, text),) = deliver(store)
    assert phone == told.phone
    assert "电话巡访1次，最近一次11月23日" in text
    assert "情绪状态：无变化" in text
    assert "服务需求：助餐" in text
    assert "王桂兰" not in text
    assert PHONE not in text
    with store.read() as work:
        kinds = [(each.kind, each.detail.get("to")) for each in work.audit.of(f"elder:{elder.id}")]
    assert kinds == [("no_notice_sent", f"contact:{other.id}"), ("summary.sent", None)]


def test_without_consent_nothing_is_sent_and_the_audit_says_why(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        work.contacts.add(elder_id=elder.id, position=1, phone="13900000001", may_be_told=True)
        agrees(work, elder.id, ConsentPurpose.FAMILY_NOTICE, granted=False)
    for _ in range(2):
        assert summary.send_all(store, MONTH, NOW, ZONE, "user:du").sent == 0
    assert deliver(store) == []
    with store.read() as work:
        (entry,) = work.audit.of(f"elder:{elder.id}")
    assert entry.kind == "no_notice_sent"
    assert entry.detail["because"] == summary.NOT_AGREED


def test_health_is_told_only_to_whom_it_was_agreed(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        elder = an_elder(work)
        record = a_record(work, elder.id)
    with_health = summary.text(elder, [record], MONTH, ZONE, health=True)
    without = summary.text(elder, [record], MONTH, ZONE, health=False)
    assert "情绪状态" in with_health
    assert "情绪状态" not in without
    assert "燃气安全：安全" in without
    assert "没有完成巡访" in summary.text(elder, [], MONTH, ZONE, health=True)


def test_a_village_is_told_numbers_and_no_names(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        village = work.areas.add(code="220182101205", name="幸福村", level="village", phone="0431111")
        an_elder(work, area_id=village.id)
    told = summary.send_all(sqlite_store, MONTH, NOW, ZONE, "user:du")
    assert told.sent == 1
    assert told.not_sent == 1  # the elder never agreed
    ((phone, text),) = deliver(sqlite_store)
    assert phone == "0431111"
    assert "幸福村2026年11月：应访0人，已访0人" in text
    assert "王" not in text


# ---- files ---------------------------------------------------------------------------------------------


def test_a_whole_area_becomes_one_zip_that_is_made_while_it_is_sent(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        village = work.areas.add(code="220182101205", name="幸福村", level="village")
        inside = [an_elder(work, area_id=village.id).id for _ in range(3)]
        an_elder(work)
        an_elder(work, area_id=village.id, active=False)
        for each in inside:
            a_record(work, each)
    told: list[int] = []
    pieces = list(archive.zipped(sqlite_store, archive.Wanted(village.id), NOW, ZONE, told.append))
    assert told == [1, 2, 3]
    assert len(pieces) > 3
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as made:
        assert made.testzip() is None
        assert made.namelist() == [f"220182101205-{each}.docx" for each in inside]
        text = "\n".join(
            cell.text
            for table in Document(io.BytesIO(made.read(made.namelist()[0]))).tables
            for row in table.rows
            for cell in row.cells
        )
    assert FIELDS["advice"] in text


def test_the_pdf_of_one_form_has_two_pages_of_chinese(sqlite_store: Store) -> None:
    if pdf.program() is None:
        pytest.skip("LibreOffice is not installed")
    with sqlite_store.begin() as work:
        elder = an_elder(work)
        a_record(work, elder.id)
        made = document.render(document.fill(document.gather(work, elder.id), NOW, ZONE))
    opened = pypdfium2.PdfDocument(pdf.to_pdf({"form": made})["form"])
    try:
        pages = [page.get_textpage().get_text_bounded() for page in opened]
    finally:
        opened.close()
    assert len(COPIES) <= len(pages) <= 2 * len(COPIES)
    text = re.sub(r"\s", "", "".join(pages))
    for word in ("特殊困难老年人探访关爱服务记录表", "王桂兰", "未现场核实", *(each.label for each in FORM)):
        assert text.count(word) >= (0 if word == "疾病名称" else len(COPIES)), word


COPIES = document.COPIES


@pytest.mark.parametrize("script", ["exit 3", "sleep 30", "exit 0"])
def test_a_libreoffice_that_fails_hangs_or_makes_nothing_is_said_in_chinese(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "soffice"
    broken.write_text(f"#!/bin/sh\nexec {script}\n" if "exit" not in script else f"#!/bin/sh\n{script}\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(BadInput, match="LibreOffice"):
        pdf.to_pdf({"a": b"x"}, timeout_s=0.5)


def test_without_libreoffice_the_word_file_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="没有安装 LibreOffice"):
        pdf.to_pdf({"a": b"x"})


def test_the_number_of_a_visit_counts_all_of_them(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        elder = an_elder(work)
        for days in range(4):
            a_record(work, elder.id, visited_at=NOW - timedelta(days=days))
        facts = document.gather(work, elder.id)
    assert list(facts.numbers.values()) == [4]
    assert facts.before[facts.records[0].id].visited_at == NOW - timedelta(days=1)


def test_signatures_of_the_door_come_onto_the_form_and_a_lost_file_leaves_room(
    sqlite_store: Store, tmp_path: Path
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 20), "white").save(picture, "PNG")
    files = SealedFiles(tmp_path / "photos")
    kept = files.put(picture.getvalue())
    with sqlite_store.begin() as work:
        elder = an_elder(work)
        visitor = work.visitors.add(name="李巧云")
        case = a_case(work, elder)
        record = a_record(work, elder.id, mode=VisitMode.ON_SITE)
        made = work.doorstep.receive(
            key="k1",
            visitor_id=visitor.id,
            case_id=case.id,
            elder_id=elder.id,
            outcome=DoorOutcome.VISITED,
            filled_at=NOW,
            received_at=NOW,
            note="",
            corrections={},
        )
        assert made is not None
        work.doorstep.finish(replace(made, record_id=record.id))
        for kind in (DoorPhotoKind.ELDER_SIGNATURE, DoorPhotoKind.PHOTO):
            work.doorstep.add_photo(form_id=made.id, kind=kind, file=kept.file, secret=kept.secret, bytes=100)
        facts = document.gather(work, elder.id, photos=files.folder)
        assert facts.signatures == {record.id: document.Signatures(elder=picture.getvalue())}
        files.remove(kept.file)
        assert document.gather(work, elder.id, photos=files.folder).signatures == {}
