"""Files into the ledger and out again, on both engines."""

from __future__ import annotations

import csv
import multiprocessing
import os
import stat
from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from stdnum.cn import ric

from storage import Store
from storage.model import Elder
from xunfang.errors import BadInput
from xunfang.ledger import exporter, importer, reading, writing
from xunfang.ledger.ahead import read_ahead
from xunfang.ledger.columns import export_columns
from xunfang.ledger.files import Imported, import_file
from xunfang.ledger.matching import Moment
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode

pytestmark = pytest.mark.integration

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MOMENT = Moment(NOW, ZONE)
DAY = timedelta(days=1)
ACTOR = "user:clerk"


def card(number: int, born: str = "19400105") -> str:
    stem = f"220183{born}{number:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def person(number: int, **cells: str) -> dict[str, str]:
    """A whole row; `cells` replace columns by title."""
    given = {
        "姓名": "王" + "甲乙丙丁戊己庚辛"[number % 8] + "兰",
        "公民身份号码": card(number),
        "联系电话": f"1381234{number:04d}",
        "县": "德惠市",
        "乡镇": "大青咀镇",
        "村": "幸福村",
        "家庭住址": "三组12号",
        "类别": "独居、高龄",
        "能否自理": "能",
        "身体状况良好": "是",
        "频次": "月访",
        "可拨打时段": "09:00-11:00",
        "紧急联系人1姓名": "王建国",
        "紧急联系人1关系": "儿子",
        "紧急联系人1电话": "13700001111",
        "紧急联系人1同住一地": "是",
        "紧急联系人1可告知": "是",
        "第一巡访员姓名": "王建国",
        "第一巡访员关系": "子女",
        "第一巡访员电话": "13700001111",
        "同意电话巡访": "是",
        "同意电话巡访日期": "2026-03-01",
        "备注": "耳背，请大声",
    }
    return given | cells


def write(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8-sig") -> Path:
    titles = list(dict.fromkeys(title for row in rows for title in row))
    table = [[row.get(title, "") for title in titles] for row in rows]
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for line in [titles, *table]:
            book.active.append(line)  # type: ignore[union-attr]
        book.save(path)
    else:
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([titles, *table])
    return path


@pytest.fixture
def county(store: Store) -> Store:
    with store.begin() as work:
        top = work.areas.add(code="220183000000", name="德惠市", level="county")
        town = work.areas.add(code="220183101000", name="大青咀镇", level="township", parent_id=top.id)
        work.areas.add(code="220183101205", name="幸福村", level="village", parent_id=town.id)
    return store


@pytest.fixture
def load(county: Store, tmp_path: Path) -> Iterator[object]:
    def go(*rows: dict[str, str], moment: Moment = MOMENT, **options: object) -> Imported:
        path = write(tmp_path / "台账.csv", list(rows))
        return import_file(county, path, moment, ACTOR, **options)  # type: ignore[arg-type]

    return go  # type: ignore[return-value]


def elders(store: Store) -> list[Elder]:
    with store.read() as work:
        return work.elders.page()


def counts(imported: Imported) -> tuple[int, int, int, int]:
    found = imported.summary
    return found.created, found.changed, found.unchanged, found.refused


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "gb.csv"])
def test_a_row_becomes_an_elder_with_all_that_belongs_to_him(
    county: Store, tmp_path: Path, name: str
) -> None:
    path = write(tmp_path / name, [person(1)], "gb18030" if name == "gb.csv" else "utf-8")
    imported = import_file(county, path, MOMENT, ACTOR)
    assert imported.rows == []
    assert counts(imported) == (1, 0, 0, 0)
    with county.read() as work:
        (entry,) = work.ledger.page()
        village = work.areas.by_code("220183101205")
        assert work.audit.of(f"elder:{entry.elder.id}")[0].kind == "elder.created"
        assert [item.kind for item in work.audit.of("ledger")] == ["ledger.import_started", "ledger.imported"]
    assert village is not None
    elder = entry.elder
    assert (elder.name, elder.sex, elder.birth_date, elder.phone, elder.id_card) == (
        "王乙兰",
        "M",
        date(1940, 1, 5),
        "13812340001",
        card(1),
    )
    assert (elder.area_id, elder.mode, elder.cadence, elder.dialplan) == (
        village.id,
        VisitMode.PHONE,
        Cadence.MONTHLY,
        "monthly_full",
    )
    assert elder.categories == {Category.LIVING_ALONE, Category.ADVANCED_AGE}
    (contact,) = entry.contacts
    assert (contact.name, contact.relation, contact.phone, contact.same_place, contact.may_be_told) == (
        "王建国", "child", "13700001111", True, True,
    )  # fmt: skip
    (visitor,) = entry.visitors
    assert (visitor.name, visitor.kind, visitor.elder_id) == ("王建国", "child", elder.id)
    assert visitor.area_id == elder.area_id  # lives in the same place: goes first
    consent = entry.consents[ConsentPurpose.PHONE_VISIT]
    assert (consent.granted, consent.at, consent.source) == (
        True,
        datetime(2026, 2, 28, 16, tzinfo=UTC),
        "paper",
    )
    assert entry.note == "耳背，请大声"


def test_importing_the_same_file_again_changes_nothing(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    rows = [person(n) for n in range(7)]
    assert counts(load(*rows)) == (7, 0, 0, 0)
    with county.read() as work:
        before = work.ledger.page()
    assert counts(load(*rows, moment=Moment(NOW + DAY, ZONE))) == (0, 0, 7, 0)
    with county.read() as work:
        assert work.ledger.page() == before


def test_a_dry_run_tells_all_and_writes_nothing(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1))
    with county.read() as work:
        before = work.ledger.page()
    told = load(
        person(1, 频次="周访", 联系电话="13912345678"), person(2), person(3, 联系电话="123"), dry_run=True
    )
    assert not told.written
    assert counts(told) == (1, 1, 0, 1)
    assert [(row.row, row.outcome) for row in told.rows] == [(2, "changed"), (3, "created"), (4, "refused")]
    assert "频次：月访→周访" in told.rows[0].changes
    assert "联系电话：138****0001→139****5678" in told.rows[0].changes
    assert told.refused_file is None
    with county.read() as work:
        assert work.ledger.page() == before
        assert len(work.audit.of("ledger")) == 2


def test_bad_rows_stop_nobody_and_come_back_in_a_file_that_can_be_imported(  # type: ignore[no-untyped-def]
    county: Store, tmp_path: Path, load
) -> None:
    imported = load(person(1), person(2, 联系电话="123"), person(3))
    assert counts(imported) == (2, 0, 0, 1)
    refused = imported.refused_file
    assert refused == tmp_path / "台账-未导入.csv"
    assert stat.S_IMODE(os.stat(refused).st_mode) == 0o600
    text = refused.read_text("utf-8-sig")
    assert "联系电话：手机号应为 11 位" in text
    refused.write_text(text.replace(",123,", ",13812340002,"), "utf-8")
    assert counts(import_file(county, refused, MOMENT, ACTOR)) == (1, 0, 0, 0)
    assert len(elders(county)) == 3
    again = load(person(4, 联系电话="123"))
    assert again.refused_file == tmp_path / "台账-未导入-2.csv"  # what somebody is mending stays


def test_strict_writes_nothing_when_one_row_is_wrong(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    imported = load(person(1), person(2, 联系电话="123"), strict=True)
    assert not imported.written
    assert imported.summary.refused == 1
    assert elders(county) == []
    assert load(person(1), person(2), strict=True).written
    assert len(elders(county)) == 2


def test_an_elder_is_recognised_by_id_card_then_by_name_and_phone(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1), person(2, 公民身份号码="", 性别="女"))
    imported = load(
        person(1, 联系电话="13912340001"),
        person(2, 公民身份号码="", 频次="周访"),
        person(2, 公民身份号码="", 性别="女", 联系电话="13912340002"),  # neither: somebody else
    )
    assert counts(imported) == (1, 2, 0, 0)
    first, second, third = elders(county)
    assert (first.phone, second.cadence) == ("13912340001", Cadence.WEEKLY)
    assert (third.name, third.phone) == (second.name, "13912340002")


def test_an_id_card_is_added_to_somebody_known_by_name_and_phone(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1, 公民身份号码="", 性别="男"))
    assert counts(load(person(1))) == (0, 1, 0, 0)
    (elder,) = elders(county)
    assert (elder.id_card, elder.birth_date) == (card(1), date(1940, 1, 5))


def test_doubles_in_the_file_and_against_the_ledger_are_refused(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1))
    (known,) = elders(county)
    imported = load(
        person(2),
        person(3, 公民身份号码=card(2)),  # the card of row 2
        person(4, 姓名="赵某", 公民身份号码=""),
        person(4, 姓名="赵某", 公民身份号码=card(5)),  # name and phone of row 4
        person(1, 公民身份号码=card(6)),  # name and phone of the ledger, another card
        person(1),
        person(1, 姓名="王乙兰", 公民身份号码=""),  # the same again
        person(4, 姓名="赵某", 公民身份号码="", 性别="女"),
    )
    said = {row.row: row.errors for row in imported.rows}
    assert said[3] == ("公民身份号码：与第 2 行重复",)
    assert said[4][0].startswith("性别：没有填写")
    assert 5 not in said  # row 4 was refused, so nobody is doubled
    assert said[6][0].startswith("疑似重复：台账中有同名同号码、但身份号码不同的人")
    assert str(known.id) in said[6][0]
    assert said[8] == ("姓名和联系电话：与第 7 行重复",)
    assert said[9] == ("姓名和联系电话：与第 5 行重复",)
    assert counts(imported) == (2, 0, 1, 5)


def test_two_rows_for_one_elder_of_the_ledger_are_noticed(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1))
    imported = load(person(1, 联系电话="13912345678"), person(1, 公民身份号码=""))
    assert imported.rows[-1].errors[0].startswith("与第 2 行是台账中的同一个人")


def test_a_blank_cell_leaves_and_a_word_clears(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1))
    load(
        person(
            1, 家庭住址="", 可拨打时段="清空", 备注="清空", 紧急联系人1姓名="", 紧急联系人1电话="13700002222"
        )
    )
    with county.read() as work:
        (entry,) = work.ledger.page()
    assert (entry.elder.address, entry.elder.windows, entry.note) == ("三组12号", (), "")
    (contact,) = entry.contacts
    assert (contact.name, contact.phone) == ("王建国", "13700002222")


def test_only_the_fields_of_the_file_are_written(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1))
    (elder,) = elders(county)
    with county.begin() as work:
        work.elders.update(elder.id, hard_of_hearing=True, tail_ms=2400, paused_until=date(2026, 12, 1))
    load(person(1, 频次="周访"))
    (after,) = elders(county)
    assert (after.hard_of_hearing, after.tail_ms, after.paused_until) == (True, 2400, date(2026, 12, 1))
    assert (after.cadence, after.dialplan) == (Cadence.WEEKLY, "weekly_short")


def test_a_spreadsheet_never_turns_a_later_no_into_a_yes(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1))
    (elder,) = elders(county)
    purpose = ConsentPurpose.PHONE_VISIT
    with county.begin() as work:
        work.consents.add(elder.id, purpose, False, NOW, "voice")
    later = Moment(NOW + 2 * DAY, ZONE)

    def current() -> bool | None:
        with county.read() as work:
            return work.consents.current(elder.id, purpose)

    for cells in ({}, {"同意电话巡访日期": ""}, {"同意电话巡访日期": "2026-11-23"}):
        imported = load(person(1, **cells), moment=later)
        assert current() is False
        assert "未改动" in imported.rows[0].warnings[0]
    load(person(1, 同意电话巡访日期="2026-11-24"), moment=later)
    assert current() is True
    load(person(1, 同意电话巡访="否", 同意电话巡访日期=""), moment=later)
    assert current() is False


def test_a_new_first_visitor_takes_the_place_of_the_old_one(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1))
    load(person(1, 第一巡访员姓名="钱二柱", 第一巡访员关系="邻居", 第一巡访员电话="13700003333"))
    with county.read() as work:
        (entry,) = work.ledger.page()
    assert [(each.name, each.kind, each.phone) for each in entry.visitors] == [
        ("钱二柱", "neighbour", "13700003333")
    ]


def test_who_cannot_look_after_himself_is_visited_on_site(county: Store, load) -> None:  # type: ignore[no-untyped-def]
    load(person(1, 类别="失能（失智）", 能否自理=""), person(2, 联系电话=""))
    modes = [elder.mode for elder in elders(county)]
    assert modes == [VisitMode.ON_SITE, VisitMode.ON_SITE]


def test_new_villages_come_with_their_codes_only_when_asked_for(store: Store, tmp_path: Path) -> None:
    rows = [person(n, 行政区划代码="220183101205") for n in (1, 2)]
    rows.append(person(3, 行政区划代码="220183101206", 村="平安村", 联系电话="1"))
    path = write(tmp_path / "a.csv", rows)
    assert import_file(store, path, MOMENT, ACTOR).summary.refused == 3
    told = import_file(store, path, MOMENT, ACTOR, create_areas=True, dry_run=True)
    assert told.summary.areas_created[:3] == ["德惠市", "德惠市大青咀镇", "德惠市大青咀镇幸福村"]
    imported = import_file(store, path, MOMENT, ACTOR, create_areas=True)
    assert imported.summary.areas_created == ["德惠市", "德惠市大青咀镇", "德惠市大青咀镇幸福村"]
    with store.read() as work:
        assert len(work.ledger.areas()) == 3  # nobody was taken into 平安村
    assert len(elders(store)) == 2


class Killed(Exception):
    pass


def test_a_killed_import_run_again_gives_the_same_ledger(  # type: ignore[no-untyped-def]
    county: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [person(n, 联系电话="1" if n == 5 else f"1381234{n:04d}") for n in range(12)]
    path = write(tmp_path / "a.csv", rows)
    monkeypatch.setattr(importer, "BATCH_ROWS", 4)
    real, batches = importer.write_beside, []

    def dies_in_the_middle_of_the_second_batch(work, batch):  # type: ignore[no-untyped-def]
        batches.append(batch)
        if len(batches) == 2:
            raise Killed
        real(work, batch)

    with monkeypatch.context() as patch:
        patch.setattr(importer, "write_beside", dies_in_the_middle_of_the_second_batch)
        with pytest.raises(Killed):
            import_file(county, path, MOMENT, ACTOR)
    assert len(elders(county)) == 4  # the first batch whole, of the second nothing
    assert counts(import_file(county, path, MOMENT, ACTOR)) == (7, 0, 4, 1)
    with county.read() as work:
        found = work.ledger.page()
    assert [entry.elder.id_card for entry in found] == [card(n) for n in range(12) if n != 5]
    assert all(len(entry.contacts) == len(entry.visitors) == len(entry.consents) == 1 for entry in found)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_out_and_in_and_out_again_is_identical(county: Store, tmp_path: Path, kind: str) -> None:
    second_contact = {
        "紧急联系人2姓名": "李嫂",
        "紧急联系人2关系": "邻居",
        "紧急联系人2电话": "0431-88881234",
    }
    no_visitor = dict.fromkeys(("第一巡访员姓名", "第一巡访员关系", "第一巡访员电话"), "")
    rows = [
        person(1, 家庭住址="=HYPERLINK(1)") | second_contact,
        person(2, 公民身份号码="", 性别="女", 同意录音="否", 备注="'引号"),
        person(3, 联系电话="", 类别="", 可拨打时段="09:00-10:00、15:00-17:30") | no_visitor,
        person(4, 紧急联系人4姓名="孙女", 紧急联系人4电话="13700004444"),
    ]
    assert counts(import_file(county, write(tmp_path / "in.csv", rows), MOMENT, ACTOR))[0] == 4
    first, second = tmp_path / f"first.{kind}", tmp_path / f"second.{kind}"
    exporter.export(county, first, MOMENT, ACTOR, full=True)

    other = Store(f"sqlite:///{tmp_path}/other.db", ["another secret of another county"])
    other.migrate()
    imported = import_file(other, first, MOMENT, ACTOR, create_areas=True)
    assert counts(imported) == (4, 0, 0, 0)
    exporter.export(other, second, MOMENT, ACTOR, full=True)
    assert contents(second) == contents(first)
    assert counts(import_file(other, first, MOMENT, ACTOR)) == (0, 0, 4, 0)
    with other.read() as work:
        assert next(entry.elder.address for entry in work.ledger.page()) == "=HYPERLINK(1)"
    other.close()


def contents(path: Path) -> list[list[object]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [list(row) for row in csv.reader(file)]
    book = openpyxl.load_workbook(path)
    return [list(row) for row in book.active.iter_rows(values_only=True)]  # type: ignore[union-attr]


def test_an_export_hides_numbers_unless_asked_and_is_put_on_record(  # type: ignore[no-untyped-def]
    county: Store, tmp_path: Path, load
) -> None:
    load(person(1))
    masked, full = tmp_path / "masked.csv", tmp_path / "full.csv"
    exporter.export(county, masked, MOMENT, ACTOR)
    exporter.export(county, full, MOMENT, ACTOR, full=True)
    for number in ("13812340001", card(1), "13700001111"):
        assert number not in masked.read_text("utf-8")
        assert number in full.read_text("utf-8")
    assert stat.S_IMODE(os.stat(full).st_mode) == 0o600
    with county.read() as work:
        kinds = [(item.kind, item.actor) for item in work.audit.of("ledger")]
    assert kinds[-2:] == [("ledger.exported_masked", ACTOR), ("ledger.exported_full", ACTOR)]
    back = import_file(county, masked, MOMENT, ACTOR)
    assert counts(back) == (0, 0, 0, 1)
    assert any("完整号码" in error for error in back.rows[0].errors)


def test_the_template_is_recognised_and_imports_as_empty(county: Store, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    writing.write_template(path, export_columns())
    assert counts(import_file(county, path, MOMENT, ACTOR)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0", "另存为 .xlsx"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0rest", "密码"),
        ("a.xlsx", b"PK\x03\x04 broken", "不是完好的"),
        ("a.csv", b"\xff\xff\xff\xff\x00", "文字编码"),
        ("a.csv", b"", "表头"),
        ("a.pdf", b"%PDF", "只能读"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    sqlite_store: Store, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        import_file(sqlite_store, path, MOMENT, ACTOR)


def test_a_large_spreadsheet_is_read_by_a_second_process_with_the_same_result(
    county: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.xlsx", [person(n, 联系电话=f"1381234{n:04d}") for n in range(1, 900)])
    assert counts(import_file(county, path, MOMENT, ACTOR)) == (899, 0, 0, 0)
    monkeypatch.setattr(reading, "READ_AHEAD_BYTES", 0)
    others = set(multiprocessing.active_children())  # of tests that run beside this one
    assert counts(import_file(county, path, MOMENT, ACTOR)) == (0, 0, 899, 0)
    assert set(multiprocessing.active_children()) <= others


def breaks_off(row: int) -> Generator[tuple[int, list[str]], None, None]:
    yield 1, ["姓名"]
    raise BadInput(f"broken after row {row}")


def dies(row: int) -> Generator[tuple[int, list[str]], None, None]:
    yield row, ["姓名"]
    os._exit(9)


def test_what_goes_wrong_in_the_second_process_is_said_here() -> None:
    with pytest.raises(BadInput, match="broken after row 7"):
        list(read_ahead(breaks_off, 7))
    with pytest.raises(BadInput, match="意外结束"):
        list(read_ahead(dies, 7))


def test_rows_beyond_a_wrong_size_in_the_sheet_are_not_lost(county: Store, tmp_path: Path) -> None:
    import re
    import zipfile

    good, bad = write(tmp_path / "good.xlsx", [person(1), person(2)]), tmp_path / "bad.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename.endswith("sheet1.xml"):
                data = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', data)
                assert b'ref="A1"' in data
            target.writestr(item, data)
    assert counts(import_file(county, bad, MOMENT, ACTOR)) == (2, 0, 0, 0)
