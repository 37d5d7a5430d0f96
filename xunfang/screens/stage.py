"""A copy of a finished demo, with people at the desk: the demo's own calls, words and cases, and users,
door plates, assignments and two calls in progress besides. The demo's folder itself is only read."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from records import subsidies
from storage import Store, Work
from storage.model import Call, Case, Dialler
from visits import handling, plates
from visits.life import Actor, Order, Role
from web.app import create_app
from web.config import WebConfig
from web.ledger import LedgerDesk
from web.security import accounts
from web.security.passwords import CHEAP, Passwords, generate
from web.server import Background
from xunfang import setup
from xunfang.clock import FixedClock
from xunfang.demo.folder import FINISHED, STATE
from xunfang.demo.ledger import COUNTY, TOWNSHIP, VILLAGE
from xunfang.errors import BadInput
from xunfang.settings import load
from xunfang.vocabulary import CallDisposition, CaseStep, DiallerState, Priority, Speaker, UserRole
from xunfang.wiring import open_store, web_config

ADMIN, DESK, AUDITOR, VISITOR = "hezhuren", "dujuan", "shenjie", "zheng"
AFTERWARDS = timedelta(seconds=40)  # the moment of the pictures, after the last call of the demo
LIVE_TURNS = 5  # heard so far of a call in progress
ASSIGNED = 4  # cases that the village's visitor is given
CHANNELS = 4
IGNORED = shutil.ignore_patterns("prompts", "models", "*.peaks.json")


@dataclass(frozen=True, slots=True)
class Stage:
    """A served console. `ids`: what paths of pictures may name, e.g. {call}."""

    url: str
    password: str = field(repr=False)
    ids: dict[str, str]


@contextmanager
def staged(demo: Path, ledger: LedgerDesk) -> Iterator[Stage]:
    """Raises BadInput when the folder is no finished demo."""
    state = demo / STATE
    if not state.is_file() or state.read_text("utf-8").strip() != FINISHED:
        raise BadInput(f"{demo} is no finished demo: run `xunfang demo --folder {demo}` first")
    with TemporaryDirectory(prefix="xunfang-screens-") as place:
        folder = Path(place) / "demo"
        shutil.copytree(demo, folder, ignore=IGNORED)
        settings = load(folder / setup.SETTINGS_FILE, {})
        passwords, password = Passwords(CHEAP), generate("")
        with open_store(settings) as store:
            config = replace(
                web_config(settings, "127.0.0.1"), secure_cookies=False, ledger=ledger, channels=CHANNELS
            )
            now = _moment(store)
            ids = _dress(store, config, now, passwords, password)
            app = create_app(store, FixedClock(now), config, passwords)
            with Background(app, "127.0.0.1", 0) as server:
                yield Stage(server.url, password, ids)


def _moment(store: Store) -> datetime:
    with store.read() as work:
        ends = [call.ended_at for call in _calls(work) if call.ended_at is not None]
    if not ends:
        raise BadInput("this demo has no calls")
    return max(ends) + AFTERWARDS


def _calls(work: Work) -> list[Call]:
    return work.calls.page(limit=10_000)


def _dress(
    store: Store, config: WebConfig, now: datetime, passwords: Passwords, password: str
) -> dict[str, str]:
    with store.begin() as work:
        village = _area(work, VILLAGE)
        visitor = next(each for each in work.visitors.for_area(village))
        for login, name, role, area, visitor_id in (
            (ADMIN, "何主任", UserRole.COUNTY_ADMIN, None, None),
            (DESK, "杜督导", UserRole.SUPERVISOR, _area(work, TOWNSHIP), None),
            (AUDITOR, "沈审计", UserRole.AUDITOR, _area(work, COUNTY), None),
            (VISITOR, visitor.name, UserRole.VISITOR, village, visitor.id),
        ):
            accounts.add(
                work,
                passwords,
                now,
                "user:cli",
                login=login,
                name=name,
                role=role,
                password=password,
                area_id=area,
                visitor_id=visitor_id,
            )
        cases = work.cases.queue(100)
        urgent = next(each for each in cases if each.priority is Priority.URGENT and each.call_id)
        elder_ids = [each.id for each in work.elders.page()]
        issued = plates.issue_all(work, elder_ids, f"user:{ADMIN}", now)
        given = [urgent, *(each for each in cases if each.priority is not Priority.URGENT)][:ASSIGNED]
        for case in given:
            _assign(work, config, case, visitor.id, now)
        _calls_in_progress(work, config, now)
        plate = next(each for each in issued if each.elder_id == urgent.elder_id)
        ids = {
            "call": str(urgent.call_id),
            "case": str(urgent.id),
            "elder": str(urgent.elder_id),
            "plate": plate.path,
        }
    subsidies.sweep(store, subsidies.load_rules(config.subsidy_rules), now, config.zone)
    return ids


def _area(work: Work, code: str) -> int:
    area = work.areas.by_code(code)
    if area is None:
        raise BadInput("this folder is not of `xunfang demo`: its village is missing")
    return area.id


def _assign(work: Work, config: WebConfig, case: Case, visitor_id: int, now: datetime) -> None:
    order = Order(CaseStep.ASSIGN, Actor(Role.SUPERVISOR, DESK), "就近上门", visitor_id)
    handling.handle(work, case.id, order, now, config.deadlines)


def _calls_in_progress(work: Work, config: WebConfig, now: datetime) -> None:
    """Two of the demo's own conversations, begun once more and heard half: the wall has something to show."""
    dialler = work.diallers.register(
        Dialler(
            0,
            f"{socket.gethostname()}/{os.getpid()}",
            "bohao-1",
            os.getpid(),
            "",
            config.lease.trunk,
            DiallerState.RUNNING,
            now - timedelta(minutes=6),
            now,
            CHANNELS,
            6,
            2,
            45.0,
        )
    )
    talked = [
        call
        for call in _calls(work)
        if call.disposition is CallDisposition.COMPLETED
        and call.alert.value == "none"
        and sum(turn.speaker is Speaker.ELDER for turn in work.turns.of(call.id)) >= LIVE_TURNS // 2
    ]
    work.channels.provide(config.lease.trunk, CHANNELS)
    for number, call in enumerate(talked[:2], start=1):
        began = now - timedelta(seconds=20 * number)
        again = work.calls.begin(
            plan_id=None,
            elder_id=call.elder_id,
            attempt=1,
            dialplan=call.dialplan,
            dialplan_hash=call.dialplan_hash,
            intended_at=began,
            line=f"{dialler.name}/1",
            dialler_id=dialler.id,
        )
        work.calls.answered(again.id, began)
        slot = work.channels.take(config.lease.trunk, CHANNELS, dialler.id, began)
        if slot is not None:
            work.channels.carries(config.lease.trunk, slot, again.id)
        for turn in work.turns.of(call.id)[: LIVE_TURNS + number]:
            work.turns.add(replace(turn, call_id=again.id))
