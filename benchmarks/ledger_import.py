"""How long 100,000 invented elders take to import: csv and xlsx, and the bare xlsx reader beside it.

    python benchmarks/ledger_import.py --rows 100000 [--url postgresql://…] [--json FILE]

Names, numbers and villages are invented. Wall time depends on what else the machine does, so
processor time (user + system) is printed beside it. The second import of the same file shows what
a re-run after a kill costs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from stdnum.cn import ric

from storage import Store
from xunfang.ledger import files, writing
from xunfang.ledger.columns import export_columns
from xunfang.ledger.matching import Moment

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "桂兰秀英淑珍玉华建国德福永贵春生凤云金宝洪文"
VILLAGES = 200
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MB = 1024


def invented(rows: int, seed: int = 7) -> Iterator[list[str]]:
    """Rows in the columns of the template: one or two contacts, a first visitor for every third elder."""
    chance = random.Random(seed)
    keys = [column.key for column in export_columns()]
    for number in range(rows):
        village = number % VILLAGES
        # A thousand orders for each of 89 birthdays: no card is given out twice.
        born = date(1930, 1, 1) + timedelta(days=number // 1000 * 89 + number % 89)
        card = f"220183{born:%Y%m%d}{number % 1000:03d}"
        name = chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN)
        cells = {
            "name": name,
            "id_card": card + ric.calc_check_digit(card + "0"),
            "phone": f"138{number:08d}",
            "area_code": f"220183{101 + village // 20}{201 + village % 20}",
            "county": "样例市",
            "township": f"柳树{_han(village // 20)}镇",
            "village": f"向阳{_han(village)}村",
            "address": f"{number % 12 + 1}组{number % 90 + 1}号",
            "categories": chance.choice(["独居", "独居、高龄", "空巢", "留守、高龄", ""]),
            "self_caring": "能",
            "good_health": "是",
            "mode": "电话巡访",
            "cadence": chance.choice(["周访", "月访"]),
            "windows": chance.choice(["", "", "09:00-11:00"]),
            "contact1.name": name[0] + "建军",
            "contact1.relation": "子女",
            "contact1.phone": f"139{number:08d}",
            "contact1.same_place": "是",
            "contact1.may_be_told": "是",
            "consent.phone_visit": "是",
            "consent.phone_visit.date": "2026-03-01",
            "consent.recording": "是",
            "consent.recording.date": "2026-03-01",
            "consent.family_notice": "是",
            "consent.family_notice.date": "2026-03-01",
        }
        if number % 2:
            cells |= {
                "contact2.name": "李大嫂",
                "contact2.relation": "邻居",
                "contact2.phone": f"0431-8{number % 10**7:07d}",
                "contact2.may_be_told": "否",
            }
        if number % 3 == 0:
            cells |= {
                "visitor.name": name[0] + "建军",
                "visitor.relation": "子女",
                "visitor.phone": f"139{number:08d}",
            }
        yield [cells.get(key, "") for key in keys]


def _han(number: int) -> str:
    digits = "零一二三四五六七八九"
    return "".join(digits[int(digit)] for digit in str(number))


def _processor_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """Seconds by the wall and of the processors (reader process too), and what came back."""
    before, started = _processor_s(), time.perf_counter()
    result = work()
    return {
        "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(_processor_s() - before, 1),
        "result": result,
    }


def only_read(path: Path) -> int:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    count = sum(1 for _ in book.worksheets[0].iter_rows(values_only=True))
    book.close()
    return count


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--url", help="an empty PostgreSQL database; default: fresh SQLite files")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    titles = [column.title for column in export_columns()]
    moment = Moment(NOW, ZoneInfo("Asia/Shanghai"))
    results: dict[str, Any] = {"rows": given.rows, "python": sys.version.split()[0]}
    with tempfile.TemporaryDirectory() as folder:
        csv_file, xlsx_file = Path(folder) / "ledger.csv", Path(folder) / "ledger.xlsx"
        writing.write_csv(csv_file, titles, invented(given.rows))
        writing.write_xlsx(xlsx_file, titles, invented(given.rows))

        def import_into(store: Store, path: Path) -> dict[str, int]:
            summary = files.import_file(store, path, moment, "user:benchmark", create_areas=True).summary
            return {name: getattr(summary, name) for name in ("created", "changed", "unchanged", "refused")}

        def report(name: str, measured: dict[str, Any]) -> None:
            results[name] = measured
            print(
                f"{name:24} {measured['wall_s']:7.1f} s wall {measured['cpu_s']:7.1f} s processor",
                measured["result"],
            )

        report("xlsx reader alone", timed(lambda: only_read(xlsx_file)))
        for kind, path in (("csv", csv_file), ("xlsx", xlsx_file)):
            url = given.url or f"sqlite:///{folder}/{kind}.db"
            store = Store(url, ["a secret only for the benchmark"])
            store.migrate()
            report(f"{kind} import", timed(lambda store=store, path=path: import_into(store, path)))
            if kind == "csv":
                report("csv import again", timed(lambda store=store, path=path: import_into(store, path)))
            store.close()
            if given.url:
                break  # the rows are there now
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MB
    results["peak_mb"] = peak
    print(f"peak memory {peak} MB; load of the machine at the end {os.getloadavg()[0]:.1f}")
    if given.json:
        given.json.write_text(json.dumps(results, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
