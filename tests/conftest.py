"""What runs beside what in `make test` (tests/README.md).

pytest-xdist hands out work in the order of collection: what is long and begins last, everybody waits for.
So the long files come first. Tests of one file share a process and with it the file's fixtures.
"""

from __future__ import annotations

from pathlib import Path

import pytest

# Seconds that a file takes on a quiet machine, about. Only for the order: nothing breaks when they are wrong.
LONG_S = {
    # in real time, three at once
    "test_demo.py": 190,
    "test_console_journey.py": 190,  # the same demo
    "test_two_diallers.py": 145,
    "test_harness_scenarios.py": 90,
    "test_harness_village.py": 80,
    "test_session_calls.py": 75,
    "test_broken_trunk_and_disk.py": 70,
    "test_callback_calls.py": 60,
    "test_telephony_calls.py": 55,
    "test_demo_interrupted.py": 50,
    "test_peers_trunk.py": 45,
    "test_duty_calls.py": 45,
    # the rest, one on each core
    "test_web_all_pages.py": 60,
    "test_audio_understanding.py": 40,
    "test_fleet_crashes.py": 40,
    "test_simulate_year.py": 30,
    "test_planning_special.py": 25,
    "test_scheduler_property.py": 25,
    "test_scheduler_calls.py": 25,
    "test_ledger_import.py": 25,
    "test_web_visitor_offline.py": 25,
    "test_bad_input.py": 20,
    "test_web_calls.py": 20,
    "test_fleet_leases.py": 20,
    "test_cli.py": 20,
    "test_api.py": 20,
    "test_fleet_machines.py": 15,
    "test_harness_voices.py": 15,
    "test_scheduler_machine.py": 15,
}

# File -> file whose process it needs, because a fixture of the session is theirs together: the demo.
TOGETHER = {"tests/acceptance/test_console_journey.py": "tests/acceptance/test_demo.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m realtime` a file without the mark is not imported: that takes longer than many a test."""
    wanted = config.option.markexpr != "realtime" or not collection_path.match("test_*.py")
    return None if wanted or b"mark.realtime" in collection_path.read_bytes() else True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: -LONG_S.get(item.path.name, 0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """`--dist loadfile`, except that files which look at the same costly thing count as one."""
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

    return ByFile(config, log)
