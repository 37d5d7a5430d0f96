"""`xunfang status`: what is told is what the tables hold."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from fleet_kit import Machine
from scheduler_kit import WELL, House, answers, distress, ends
from typer.testing import CliRunner

from scheduler.dispatch import DispatchConfig
from scheduler.lease import Health
from scheduler.owner import LeaseConfig
from scheduler.policy import Policy
from scheduler.status import status
from storage import Store
from xunfang import setup
from xunfang.cli.app import app
from xunfang.vocabulary import CallDisposition

pytestmark = pytest.mark.integration


def test_status_counts_who_dials_what_waits_and_how_far_the_day_has_come(
    store: Store, tmp_path: Path
) -> None:
    house = House(store, tmp_path, DispatchConfig(policy=Policy()))
    scripts = [answers(WELL), distress(), ends(CallDisposition.NO_ANSWER)]
    for number, script in enumerate([*scripts, *[answers(WELL)] * 3]):
        house.elder(f"138123400{number:02d}", script)
    house.plan()
    a, b = Machine(house, "a"), Machine(house, "b")
    a.fleet.scripts = house.fleet.scripts
    for _ in range(3):
        a.dispatcher.tick()
        a.fleet.play()
        house.clock.move(timedelta(seconds=1))
    a.dispatcher.beat()
    house.clock.move(timedelta(seconds=90))
    b.dispatcher._lease.renew(Health(capacity=4))
    seen = status(store, house.clock.now(), house.policy, LeaseConfig(), 4)
    assert [(each.dialler.name, each.lapsed) for each in seen.diallers] == [("a/101", True), ("b/101", False)]
    assert (seen.channels_used, seen.channels, seen.open_now) == (0, 4, True)
    today = seen.today
    assert (today.due, today.calls, today.live) == (6, 6, 0)
    assert (today.heard, today.completed, today.missed) == (5, 5, 1)
    assert (seen.ready, seen.later) == (0, 1)
    assert (seen.cases_open, seen.cases_urgent, seen.cases_overdue) == (1, 1, 0)


def test_the_command_speaks_chinese_to_people_and_json_to_machines(tmp_path: Path) -> None:
    setup.init(tmp_path)
    config = str(tmp_path / setup.SETTINGS_FILE)
    told = CliRunner().invoke(app, ["-c", config, "status"])
    assert told.exit_code == 0, told.output
    assert "通道 0/4" in told.output
    assert "没有拨号机在运行" in told.output
    found = json.loads(CliRunner().invoke(app, ["-c", config, "status", "--json"]).output)
    assert found["diallers"] == []
    assert found["channels"] == 4
    assert found["planned"] is None
