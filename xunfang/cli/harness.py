"""`xunfang harness`: the softphone village (软电话村), every behaviour of an elder on demand."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from sip_test_harness.formats import list_personas, list_scenarios, load_scenario
from sip_test_harness.model import VillageEvent
from sip_test_harness.runner import ok
from sip_test_harness.village import Village
from xunfang.cli.output import AsJson, console, print_json, print_table
from xunfang.scenario import run_scenario

app = typer.Typer(no_args_is_help=True, help="A village of softphones that answers our calls.")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show all personas and scenarios.

    Example: xunfang harness list
    """
    personas, scenarios = list_personas(), list_scenarios()
    if as_json:
        print_json(
            {
                "personas": [{"id": p.id, "number": p.number, "story": p.story} for p in personas],
                "scenarios": [{"id": s.id, "about": s.about, "calls": len(s.calls)} for s in scenarios],
            }
        )
        return
    print_table(
        "Personas", ("id", "number", "story"), ((p.id, p.number, p.story) for p in personas), empty="none"
    )
    print_table(
        "Scenarios",
        ("id", "calls", "about"),
        ((s.id, len(s.calls), s.about) for s in scenarios),
        empty="none",
    )


@app.command()
def village(
    port: Annotated[int, typer.Option(help="SIP port of the village's exchange.")] = 5700,
    rtp_port: Annotated[int, typer.Option(help="First RTP port.")] = 34000,
    processes: Annotated[int, typer.Option(min=1, max=8, help="Softphone processes; 4 calls each.")] = 2,
) -> None:
    """Let all personas wait for calls until Ctrl-C. Point trunk.gateways at this port.

    Example: xunfang harness village --port 5700
    """
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def show(event: VillageEvent) -> None:
        console.print(
            f"{event.at:%H:%M:%S} {event.kind.value:<10} {event.persona:<20} "
            f"{event.text or event.code or ''}",
            markup=False,
        )

    personas = list_personas()
    with Village(personas, port=port, rtp_port=rtp_port, processes=processes, on_event=show) as running:
        console.print(f"{len(personas)} personas answer at {running.gateway}. Ctrl-C ends.")
        try:
            ended.wait()
        except KeyboardInterrupt:
            console.print("ended")


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Scenario as in `xunfang harness list`.")],
    as_json: AsJson = False,
) -> None:
    """Call the personas of a scenario with the real service and compare with what is expected.

    Exit code 1 when something differs.

    Example: xunfang harness run quick
    """
    results = run_scenario(load_scenario(scenario))
    if as_json:
        print_json(results)
    else:
        print_table(
            scenario,
            ("persona", "disposition", "alert", "risk", "cases", "verdict"),
            (
                (
                    result.persona,
                    result.observed.disposition,
                    result.observed.alert,
                    result.observed.risk,
                    " ".join(result.observed.cases),
                    "; ".join(result.misses) or "as expected",
                )
                for result in results
            ),
            empty="the scenario has no calls",
        )
    if not ok(results):
        raise typer.Exit(1)
