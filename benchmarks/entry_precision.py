"""How long the table of `xunfang lexicon precision` takes over many stored turns, on SQLite.

    python benchmarks/entry_precision.py                  100,000 turns in 10,000 calls
    python benchmarks/entry_precision.py --turns 1000000

A tenth of the turns raised an alert, of one or two entries; every second alert has a verdict. Prints
seconds as JSON: counting (storage), the whole table with the lexicon, and with an area and a day.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ivr.understanding import default_lexicon
from ivr.understanding.precision import precisions
from storage import Store, tables
from xunfang.vocabulary import Alert, ReviewVerdict, Speaker

SECRET = "a secret only for benchmarks, 0123456789"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TURNS_A_CALL = 10
ELDERS = 500


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=100_000)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "xunfang.db"), [SECRET])
        store.migrate()
        area_id = fill(store, turns // TURNS_A_CALL)
        entries = default_lexicon()
        measured: dict[str, Any] = {"turns": turns}
        with store.read() as work:
            began = time.perf_counter()
            counts = work.verdicts.by_entry()
            measured["counted_s"] = round(time.perf_counter() - began, 3)
            measured["alerts"] = sum(each.raised for each in counts)
            measured["entries"] = len(precisions(counts, entries))
            measured["table_s"] = round(time.perf_counter() - began, 3)
            began = time.perf_counter()
            work.verdicts.by_entry(NOW - timedelta(days=30), area_id)
            measured["area_and_month_s"] = round(time.perf_counter() - began, 3)
        store.close()
    print(json.dumps(measured))


def fill(store: Store, calls: int) -> int:
    """The id of a county that half of the elders live in."""
    chance = random.Random(1)
    ids = [each.id for each in default_lexicon().entries if each.kind in ("event", "plea")]
    with store.begin() as work:
        county = work.areas.add(code="220183", name="县", level="county")
        village = work.areas.add(code="220183101", name="村", level="village", parent_id=county.id)
        for number in range(ELDERS):
            work.elders.add(name="老人", phone="", area_id=village.id if number % 2 else None)
        made = [
            {
                "id": id,
                "elder_id": id % ELDERS + 1,
                "attempt": 1,
                "dialplan": "weekly_short",
                "dialplan_hash": "",
                "intended_at": NOW - timedelta(minutes=10 * (calls - id)),
                "because": "",
                "hung_up_by": "",
                "alert": Alert.NONE,
                "line": "",
                "number_hint": "",
            }
            for id in range(1, calls + 1)
        ]
        work.db.change_many(sa.insert(tables.call), made)
        work.db.change_many(sa.insert(tables.turn), _turns(calls, ids, chance))
        work.db.change_many(sa.insert(tables.verdict), _verdicts(calls))
    return county.id


def _turns(calls: int, ids: list[str], chance: random.Random) -> Iterator[dict[str, Any]]:
    for call_id in range(1, calls + 1):
        for seq in range(TURNS_A_CALL):
            alarming = seq == 3
            entries = chance.sample(ids, chance.choice((1, 2))) if alarming else []
            yield {
                "call_id": call_id,
                "seq": seq,
                "speaker": Speaker.ELDER,
                "text": "最近挺好的，就是腿有点疼",
                "question": "health",
                "alert": Alert.REVIEW if alarming else Alert.NONE,
                "judgement": {"entries": entries, "reasons": entries, "judgements": [], "answer": "same"},
            }


def _verdicts(calls: int) -> Iterator[dict[str, Any]]:
    for call_id in range(2, calls + 1, 2):
        yield {
            "call_id": call_id,
            "turn_seq": 3,
            "alert": Alert.REVIEW,
            "verdict": ReviewVerdict.FALSE_ALARM if call_id % 3 else ReviewVerdict.CONFIRMED,
            "reason": "",
            "by": "user:1",
            "at": NOW,
            "entries": [],
        }


if __name__ == "__main__":
    main()
