"""How long a page of the review queue (待复核) takes with many calls stored, through the whole application.

    python benchmarks/queue_page.py --engine sqlite --calls 100000 [--json FILE]
    python benchmarks/queue_page.py --engine postgres --calls 1000000 [--url URL]

An invented county of one elder per ten calls; of a hundred calls five were flagged and three of ten flagged
ones still wait. Each view is asked for --requests times by a signed-in client over ASGI: routing, session,
queries, template. Aim: p95 below 100 ms. `CPU`: of this process alone (with SQLite all of the work), because
on a machine that is shared the wall clock also measures the neighbours. Postgres without --url is started
for the run (fsync off).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient

from storage import Store
from visits.deadlines import load_deadlines
from web.app import create_app
from web.config import WebConfig
from web.security import accounts
from web.security.passwords import CHEAP, Passwords
from xunfang.clock import FixedClock
from xunfang.synthetic import make_county
from xunfang.vocabulary import UserRole

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "integration"))
sys.path.insert(0, str(Path(__file__).parent))

from planning import databases

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
SECRET = "a secret only for the benchmark"
PASSWORD = "benchmark-password-1"
CALLS_PER_ELDER = 10
FLAGGED_PERCENT = 5
AIM_MS = 100

# One row per call; its number decides everything about it.
_CALLS = """
    INSERT INTO call (elder_id, attempt, dialplan, dialplan_hash, intended_at, answered_at, ended_at,
                      disposition, because, hung_up_by, alert, risk, line, number_hint)
    SELECT elder.id, 1, 'weekly_short', '0123456789ab', {at}, {at}, {at}, 'completed', 'finished', 'us',
           CASE WHEN {h} % 100 >= {flagged} THEN 'none' WHEN {h} % 1000 < 5 THEN 'urgent' ELSE 'review' END,
           CASE WHEN {h} % 100 >= {flagged} THEN 'normal' ELSE 'attention' END, '', '199****0000'
    FROM elder CROSS JOIN ({series}) AS turn_of
"""
_TURNS = """
    INSERT INTO turn (call_id, seq, speaker, text, question, alert, judgement)
    SELECT id, 1, 'elder', '这两天胸口有点闷，晚上睡不着', 'health', alert, '{}'
    FROM call WHERE alert <> 'none'
"""
_REVIEWS = """
    INSERT INTO review (call_id, elder_id, area_id, priority, alert, risk, disposition, dialplan, called_at,
                        flagged_at, deadline, claimed_by, claimed_at, done_at, done_by, outcome)
    SELECT call.id, call.elder_id, elder.area_id, CASE WHEN call.alert = 'urgent' THEN 0 ELSE 1 END,
           call.alert, call.risk, call.disposition, call.dialplan, call.intended_at, call.ended_at,
           call.ended_at, CASE WHEN call.id * 7919 % 10007 % 7 = 0 THEN 'du' END, NULL,
           CASE WHEN call.id * 7919 % 10007 % 10 < 7 THEN call.ended_at END, NULL, NULL
    FROM call JOIN elder ON elder.id = call.elder_id WHERE call.alert <> 'none'
"""


def fill(store: Store, calls: int) -> None:
    """Set-based inside the database: a million rows in a minute or two."""
    make_county(store, -(-calls // CALLS_PER_ELDER), NOW)
    number = "(elder.id * 10 + turn_of.k)"
    if store.dialect == "sqlite":
        ago = "datetime('2026-11-24 01:00:00', '-' || ({n} % 400000) || ' minutes') || '.000000'"
        series = " UNION ALL ".join(f"SELECT {k} AS k" for k in range(CALLS_PER_ELDER))
    else:
        ago = "timestamptz '2026-11-24 01:00:00+00' - ({n} % 400000) * interval '1 minute'"
        series = f"SELECT k FROM generate_series(0, {CALLS_PER_ELDER - 1}) AS k"
    with store.begin() as work:
        mixed = f"({number} * 7919 % 10007)"  # so that no village has all of them
        at = ago.format(n=number)
        sql = _CALLS.format(h=mixed, at=at, flagged=FLAGGED_PERCENT, series=series)
        for statement in (sql, _TURNS, _REVIEWS):
            work.db.change(sa.text(statement.replace(":", "\\:")))  # type: ignore[arg-type]
        if store.dialect == "postgresql":
            work.db.change(sa.text("ANALYZE"))  # type: ignore[arg-type]  # autovacuum's, at its own time


def users(store: Store) -> None:
    with store.begin() as work:
        town = next(each for each in work.areas.children(work.areas.children(None)[0].id))
        passwords = Passwords(CHEAP)
        people = (("chief", UserRole.COUNTY_ADMIN, None), ("du", UserRole.SUPERVISOR, town.id))
        for login, role, area_id in people:
            accounts.add(
                work,
                passwords,
                NOW,
                "user:cli",
                login=login,
                name=login,
                role=role,
                password=PASSWORD,
                area_id=area_id,
            )


def signed_in(app: Any, login: str) -> TestClient:
    client = TestClient(
        app,
        base_url="https://console.test",
        headers={"Sec-Fetch-Site": "same-origin"},
        follow_redirects=False,
    )
    assert client.post("/login", data={"login": login, "password": PASSWORD}).status_code == 303
    return client


def measure(get: Callable[[], Any], requests: int) -> dict[str, float]:
    get()
    took, used = [], []
    for _ in range(requests):
        started, cpu = time.perf_counter(), time.process_time()
        assert get().status_code == 200
        took.append((time.perf_counter() - started) * 1000)
        used.append((time.process_time() - cpu) * 1000)
    return {
        "p50": round(statistics.median(took), 1),
        "p95": round(statistics.quantiles(took, n=20)[18], 1),
        "max": round(max(took), 1),
        "cpu_p95": round(statistics.quantiles(used, n=20)[18], 1),
    }


def run(store: Store, requests: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(store, FixedClock(NOW), WebConfig(load_deadlines(), Path(folder)), Passwords(CHEAP))
        county, town = signed_in(app, "chief"), signed_in(app, "du")
        village = _first_village(town)
        page = "/queue"
        for _ in range(5):
            text = county.get(page).text
            further = re.search(r'rel="next" href="([^"]+)"', text)
            assert further is not None
            page = further[1].replace("&amp;", "&")
        views: dict[str, tuple[TestClient, str]] = {
            "county, everything": (county, "/queue"),
            "county, page 6": (county, page),
            "county, unclaimed, urgent": (county, "/queue?tab=unclaimed&alert=urgent"),
            "county, near deadline": (county, "/queue?tab=soon"),
            "township, everything": (town, "/queue"),
            "township, my own": (town, "/queue?tab=mine"),
            "township, one village": (town, f"/queue?area={village}"),
            "county, nothing found": (county, "/queue?disposition=busy"),
        }
        return {
            name: measure(lambda client=client, url=url: client.get(url), requests)  # type: ignore[misc]
            for name, (client, url) in views.items()
        }


def _first_village(town: TestClient) -> str:
    areas = re.findall(r'<option value="(\d+)"', town.get("/queue").text)
    assert len(areas) > 1
    return areas[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--url", help="an empty PostgreSQL database")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with databases(given.engine, given.url) as fresh:
        store = Store(fresh(), [SECRET])
        store.migrate()
        started = time.perf_counter()
        fill(store, given.calls)
        users(store)
        with store.read() as work:
            counted = work.db.row(
                sa.text("SELECT (SELECT count(*) FROM call), count(*), sum(CASE WHEN done_at IS NULL THEN 1 "
                        "ELSE 0 END) FROM review")
            )  # fmt: skip
        assert counted is not None
        filled = round(time.perf_counter() - started, 1)
        load = os.getloadavg()[0]
        rows = run(store, given.requests)
        store.close()
    print(f"\n{given.engine}: {counted[0]:,} calls, {counted[1]:,} flagged, {counted[2]:,} waiting; ", end="")
    print(f"filled in {filled} s; load {load:.1f}; {given.requests} requests each\n")
    print("| view | p50 ms | p95 ms | max ms | CPU p95 ms |\n|---|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {row['p50']} | {row['p95']} | {row['max']} | {row['cpu_p95']} |")
    worst = max(row["p95"] for row in rows.values())
    print(f"\nworst p95 {worst} ms (aim: below {AIM_MS} ms)")
    if given.json:
        given.json.write_text(json.dumps({"engine": given.engine, "calls": counted[0], "views": rows}))
    sys.exit(worst >= AIM_MS)


if __name__ == "__main__":
    main()
