"""How long planning takes, and what it needs: synthetic counties of growing size, on either engine.

    python benchmarks/planning.py --elders 10000 100000 --engine sqlite [--json FILE]
    python benchmarks/planning.py --elders 100000 1000000 --engine postgres [--url URL]

Each size is measured in a process of its own, so that the peak memory is that size's. Columns:
`first` plans everybody (all of them new), `again` finds nothing to do, `surge` plans a campaign for
everybody and puts the other calls off, `due` asks for the next 50 calls. The seconds depend on the
machine and on what else it does; the ratios to the smallest size are what to look at (10 would be
linear for ten times the elders). Postgres without --url is started for the run (fsync off).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from scheduler.planning import campaigns, plan_due
from scheduler.policy import Policy
from storage import Store, tables
from storage.model import Campaign
from xunfang.clock import FixedClock
from xunfang.synthetic import make_county
from xunfang.vocabulary import CampaignKind

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "integration"))

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
SECRET = "a secret only for the benchmark"
STEPS = ("first", "again", "surge", "due")
MB = 1024
MODEL = 20_000


def measure(url: str, elders: int, results: Any) -> None:
    store = Store(url, [SECRET])
    store.migrate()
    clock, policy = FixedClock(NOW), Policy()
    found: dict[str, Any] = {"elders": elders}

    def step(name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = work()
        found[name] = round(time.perf_counter() - started, 3)
        return result

    step("make", lambda: fill(store, elders))
    made_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MB
    report = step("first", lambda: plan_due(store, clock, policy))
    found["created"] = report.created
    found["consent_cases"] = report.consent_cases
    assert step("again", lambda: plan_due(store, clock, policy)).created == 0
    with store.begin() as work:
        campaigns.add(work, surge(), NOW)
    found["surge_created"] = step("surge", lambda: plan_due(store, clock, policy)).campaign
    with store.read() as work:
        assert len(step("due", lambda: work.plans.due(NOW, 50))) == 50
    found["made_mb"] = made_mb  # reached before planning began: the generator's own
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MB
    store.close()
    results.put(found)


def fill(store: Store, elders: int) -> None:
    """Invented one by one up to MODEL, then doubled inside the database (planning looks at no number)."""
    made = make_county(store, min(elders, MODEL), NOW)
    have = made.elders
    with store.begin() as work:
        while have < elders:
            copied = min(have, elders - have)
            for table, own in ((tables.elder, "id"), (tables.consent, "elder_id")):
                taken = [key for key in list(table.c.keys()) if key == own or key != "id"]
                unique = {"id_card_index": sa.null()}
                values = [
                    (table.c[key] + have) if key == own else unique.get(key, table.c[key]) for key in taken
                ]
                last = made.first_elder_id + copied
                rows = sa.select(*values).where(table.c[own] < last)
                work.db.change(sa.insert(table).from_select(taken, rows))
            have += copied


def surge() -> Campaign:
    day = date(2026, 11, 24)
    return Campaign(
        0, "flood-1", "防汛", CampaignKind.FLOOD, (), frozenset(), "surge_flood", day, day, None, "test", NOW
    )


@contextmanager
def databases(engine: str, url: str | None) -> Iterator[Callable[[], str]]:
    """A maker of fresh database URLs."""
    if url is not None:
        yield lambda: url
    elif engine == "sqlite":
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder)}/county.db"
    else:
        import postgres_server

        with postgres_server.running() as server:
            yield lambda: server.url(server.create())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--elders", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--url", help="an empty PostgreSQL database (then only one size)")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    spawn = multiprocessing.get_context("spawn")
    with databases(given.engine, given.url) as fresh:
        for elders in given.elders:
            results = spawn.Queue()
            process = spawn.Process(target=measure, args=(fresh(), elders, results))
            process.start()
            while process.is_alive() and results.empty():
                process.join(0.2)
            if results.empty():
                sys.exit(f"the run with {elders} elders failed (exit code {process.exitcode})")
            rows.append(results.get())
            process.join()
            print(rows[-1], flush=True)
    show(given.engine, rows)
    if given.json:
        given.json.write_text(json.dumps({"engine": given.engine, "rows": rows}, indent=2))


def show(engine: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{engine}; load of the machine at the end {os.getloadavg()[0]:.1f}\n")
    print("| elders | plans | " + " | ".join(f"{name} s" for name in STEPS) + " | peak MB |")
    print("|---|---|" + "---|" * len(STEPS) + "---|")
    for row in rows:
        ratios = [f"{row[name]:.3g} (×{row[name] / max(rows[0][name], 1e-3):.1f})" for name in STEPS]
        cells = (f"{row['elders']:,}", f"{row['created']:,}", *ratios, row["peak_mb"])
        print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
