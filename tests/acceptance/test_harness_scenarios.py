"""Carriers and faults: every scenario of the harness, called by the real service, ends as it expects."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from command_line import running

from sip_test_harness.formats import load_scenario

SCENARIOS = ("faults", "carrier")
RUN_S = 400.0

pytestmark = [pytest.mark.acceptance, pytest.mark.realtime, pytest.mark.timeout(RUN_S + 60)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Scenario -> what came of its calls; they run side by side, most of the time is waiting."""
    places = {name: tmp_path_factory.mktemp(name) for name in SCENARIOS}
    with ExitStack() as stack:
        runs = {
            name: stack.enter_context(running("harness", "run", name, "--json", cwd=place))
            for name, place in places.items()
        }
        return {name: _result(places[name], run.wait(RUN_S)) for name, run in runs.items()}


def _result(place: Path, code: int) -> list[dict[str, Any]]:
    out = (place / "out").read_text("utf-8")
    assert out, (place / "err").read_text("utf-8")
    results: list[dict[str, Any]] = json.loads(out)
    assert (code == 0) == (not any(result["misses"] for result in results))
    return results


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_call_of_a_scenario_ends_as_expected(
    results: dict[str, list[dict[str, Any]]], name: str
) -> None:
    personas = [call.persona.id for call in load_scenario(name).calls]
    assert [result["persona"] for result in results[name]] == personas
    assert {result["persona"]: result["misses"] for result in results[name] if result["misses"]} == {}


def test_a_trunk_that_fails_is_never_a_missed_call(results: dict[str, list[dict[str, Any]]]) -> None:
    seen = {result["persona"]: result["observed"] for result in results["faults"]}
    for persona in ("trunk_down", "black_hole"):
        assert seen[persona]["disposition"] == "trunk_failure"
        assert seen[persona]["cases"] == []
