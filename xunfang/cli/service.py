"""`xunfang init | plan | run | call | status | demo | docs`: the service itself."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from ivr.session.model import AlertRaised, Answered, CallEnded, CallEvent, Ringing, TurnHeard
from xunfang import log, setup, tables
from xunfang.cli import status
from xunfang.cli.cases import print_queue
from xunfang.cli.migrate import migrate
from xunfang.cli.output import AsJson, console, plain, print_json, settings_of
from xunfang.cli.tree import entries
from xunfang.cli.web import console_beside
from xunfang.clock import SystemClock
from xunfang.demo.run import run_demo
from xunfang.errors import BadInput, TrunkError
from xunfang.ledger.desk import Desk
from xunfang.screens.camera import take_all
from xunfang.settings import Settings, load
from xunfang.vocabulary import Alert, CallDisposition, Speaker, zh
from xunfang.wiring import House, build, check_clock, open_store, prepare_queue

DRAIN_S = 120.0  # a call in progress may end by itself when the service is asked to stop
INTERRUPTED = 130


def register(root: typer.Typer) -> None:
    for command in (init, migrate, run, call, demo, docs):
        root.command()(command)
    status.register(root)


def _configured(ctx: typer.Context) -> Settings:
    settings = settings_of(ctx)
    log.configure(settings.log.level, settings.log.format == "json")
    return settings


def init(
    folder: Annotated[Path, typer.Option(help="Where settings, key and database shall lie.")] = Path("."),
    as_json: AsJson = False,
) -> None:
    """Write a settings file and a secret key. What exists is kept.

    Example: xunfang init --folder /srv/xunfang
    """
    written = setup.init(folder)
    if as_json:
        print_json({"written": written})
        return
    for file in written:
        console.print(f"wrote {file}")
    console.print(
        f"Next: name your trunk in {folder / setup.SETTINGS_FILE}, then `xunfang ledger import FILE`."
    )


def run(ctx: typer.Context) -> None:
    """The service in the foreground: plan, dial inside the hours, retry, record, open cases, send notices.

    SIGTERM or Ctrl-C: no further call begins, running ones may end; a second one ends at once.

    Example: xunfang --config /srv/xunfang/xunfang.toml run
    """
    settings = _configured(ctx)
    ended, at_once = threading.Event(), threading.Event()

    def stop(*_: object) -> None:
        (at_once if ended.is_set() else ended).set()

    with open_store(settings) as store, console_beside(settings, store):
        prepare_queue(settings, store)
        check_clock(settings, store, SystemClock().now())
        house = build(settings, store)
        house.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        log.get_logger("xunfang").info("service.started", lines=settings.lines.count)
        ended.wait()
        _drain(house, at_once)


def _drain(house: House, at_once: threading.Event) -> None:
    stopping = threading.Thread(target=house.stop, args=(DRAIN_S,), name="drain")
    stopping.start()
    while stopping.is_alive():
        stopping.join(0.2)
        if at_once.is_set():
            house.fleet.stop(0)
            stopping.join()


def call(
    ctx: typer.Context,
    elder: Annotated[int, typer.Argument(metavar="ELDER", help="Id as in `xunfang ledger list`.")],
    anyway: Annotated[bool, typer.Option(help="Also outside the hours and beyond the daily cap.")] = False,
    as_json: AsJson = False,
) -> None:
    """Call one elder now and show the conversation as it goes. Exit code 5 when the trunk fails.

    Example: xunfang call 17
    """
    settings = _configured(ctx)
    events: list[CallEvent] = []
    ended = threading.Event()

    def heard(event: CallEvent) -> None:
        events.append(event)
        if not as_json:
            _show(event)
        if isinstance(event, CallEnded):
            ended.set()

    with open_store(settings) as store:
        house = build(settings, store, on_event=heard)
        house.fleet.start()
        try:
            call_id = house.dispatcher.call_now(elder, anyway)
            until = time.monotonic() + settings.trunk.max_call_s + settings.trunk.ring_s + DRAIN_S
            while not ended.wait(settings.fleet.heartbeat_s) and time.monotonic() < until:
                house.dispatcher.beat()  # otherwise a service beside us would take the call over
        finally:
            house.fleet.stop(DRAIN_S)
            house.dispatcher.leave()
        with store.read() as work:
            made, case = work.calls.get(call_id), work.cases.open_for(elder)
    if as_json:
        turns = [event for event in events if isinstance(event, TurnHeard)]
        print_json({"call": made, "case": case, "turns": turns})
    elif case is not None:
        console.print(f"上门案件：{case.id}", markup=False)
    if made is not None and made.disposition is CallDisposition.TRUNK_FAILURE:
        raise TrunkError(
            f"no call could be made through the trunk {', '.join(settings.trunk.gateways)}; look at [trunk] "
            "in the settings and ask the carrier. The elder did not miss this call."
        )


def _show(event: CallEvent) -> None:
    if isinstance(event, Ringing):
        console.print("响铃……")
    elif isinstance(event, Answered):
        console.print("已接通")
    elif isinstance(event, TurnHeard):
        judged = "" if event.speaker is Speaker.SYSTEM else f"  → {event.judgement.get('answer', '')}"
        console.print(f"{zh(event.speaker)}：{event.text}{judged}", markup=False)
    elif isinstance(event, AlertRaised) and event.alert is not Alert.NONE:
        console.print(f"【{zh(event.alert)}】{'、'.join(event.evidence)}", markup=False)
    elif isinstance(event, CallEnded):
        console.print(f"通话结束：{zh(event.disposition)}")


def demo(
    folder: Annotated[Path, typer.Option(help="An empty folder, or that of an earlier demo.")] = Path(
        "demo-data"
    ),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Thirteen invented elders are telephoned over real SIP and RTP, with real recognition. About 4 minutes.

    An interrupted demo goes on where it stopped when it is run again.

    Example: xunfang demo --folder demo-data --json result.json
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise BadInput(f"there is no folder {json_file.parent} for --json: make it, or name another file")
    try:
        result = run_demo(folder, console)
    except KeyboardInterrupt:
        console.print("演示中断；再次运行即可接着进行。")
        raise typer.Exit(INTERRUPTED) from None
    if json_file is not None:
        json_file.write_text(json.dumps(plain(result), ensure_ascii=False, indent=2) + "\n", "utf-8")
    settings = load(folder / setup.SETTINGS_FILE, {})
    print_queue(result["cases"], settings)
    console.print(
        f"用时 {result['seconds']} 秒，{len(result['calls'])} 通电话，{len(result['cases'])} 个上门案件。\n"
        f"录音（左声道系统，右声道老人）：{settings.path(settings.recording.folder)}\n"
        f"看依据：xunfang -c {folder / setup.SETTINGS_FILE} cases show 1"
    )


def docs(
    ctx: typer.Context,
    demo_json: Annotated[
        Path | None, typer.Option("--demo", help="Result of `xunfang demo --json`: also write docs/demo.md.")
    ] = None,
    screens: Annotated[
        Path | None,
        typer.Option(help="Folder of a finished demo: also take the pictures of docs/screens.md (Chromium)."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("docs"),
) -> None:
    """Write what is made in docs/, not written: settings, commands, indicators, openapi, demo, screens.

    Example: xunfang docs --demo result.json
    Example: xunfang docs --screens demo-data
    """
    rows = [(entry.path, entry.meaning, entry.examples) for entry in entries(ctx.find_root().command)]
    written = [
        tables.write_settings(folder),
        tables.write_commands(folder, rows),
        tables.write_indicators(folder),
        tables.write_openapi(folder),
    ]
    if demo_json is not None:
        try:
            result = json.loads(demo_json.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot read {demo_json}: {error}") from None
        written.append(tables.write_demo(folder, result))
    if screens is not None:
        written += take_all(screens, folder, Desk())
    for file in written:
        console.print(f"wrote {file}")
