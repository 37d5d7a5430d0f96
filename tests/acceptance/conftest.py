"""The scenarios of the harness run beside the other tests: they take a minute, most of it waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from command_line import SCENARIOS, Runs, running, until
from demo_run import demo

from xunfang.demo.folder import FIRST_PORT, LAST_PORT, PORT_STEP, SIP_PORTS_NEEDED, free_ports

__all__ = ["demo"]  # for every test here

START_S = 60.0


def _next_ports() -> int:
    return free_ports(range(FIRST_PORT, LAST_PORT, PORT_STEP), SIP_PORTS_NEEDED)


@pytest.fixture(scope="session", autouse=True)
def scenario_runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Scenario -> its folder and process. Each takes its ports before the next one looks for some."""
    runs: Runs = {}
    wanted = any(item.path.name == "test_harness_scenarios.py" for item in request.session.items)
    with ExitStack() as stack:
        for name in SCENARIOS if wanted else ():
            place, ports = tmp_path_factory.mktemp(name), _next_ports()
            process = stack.enter_context(running("harness", "run", name, "--json", cwd=place))
            until(lambda: _next_ports() != ports or None, START_S, f"{name} did not start")  # noqa: B023
            runs[name] = (place, process)
        yield runs
