"""Run a scenario: somebody else places the calls, we hold what came of them against what was expected.

The harness does not know the product, so the caller is passed in:

    results = run(scenario, place)         # place(calls, concurrent) -> one Observed per call, in order
    ok(results)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sip_test_harness.model import Expected, Scenario, ScenarioCall
from xunfang.vocabulary import Alert, CallDisposition, CaseKind, Risk


@dataclass(frozen=True, slots=True)
class Observed:
    """What the system made of one call. None: it did not say."""

    disposition: CallDisposition | None = None
    alert: Alert | None = None
    risk: Risk | None = None
    cases: tuple[CaseKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """`misses`: sentences such as "disposition: busy, expected completed"; empty when all is well."""

    persona: str
    observed: Observed
    misses: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.misses


Place = Callable[[Sequence[ScenarioCall], int], Sequence[Observed]]


def run(scenario: Scenario, place: Place) -> list[Result]:
    """`place` gets the calls in order and how many may be up at a time."""
    observed = place(scenario.calls, scenario.concurrent)
    return [
        Result(call.persona.id, seen, misses(call.expect, seen))
        for call, seen in zip(scenario.calls, observed, strict=True)
    ]


def ok(results: Sequence[Result]) -> bool:
    return all(result.ok for result in results)


def misses(expected: Expected, seen: Observed) -> tuple[str, ...]:
    """Where what was seen differs from what was expected; what was not expected is not looked at."""
    found = []
    for name in ("disposition", "alert", "risk"):
        want, got = getattr(expected, name), getattr(seen, name)
        if want is not None and want is not got:
            found.append(f"{name}: {got or 'unknown'}, expected {want}")
    if expected.cases is not None and set(expected.cases) != set(seen.cases):
        want_cases, got_cases = (", ".join(sorted(kinds)) or "none" for kinds in (expected.cases, seen.cases))
        found.append(f"cases: {got_cases}, expected {want_cases}")
    return tuple(found)
