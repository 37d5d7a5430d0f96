"""The live table of the demo: who is being called, what was heard last, what came of it. In Chinese."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ivr.session.model import (
    AlertRaised,
    Answered,
    CallEnded,
    CallEvent,
    Remembered,
    Ringing,
    TurnHeard,
)
from sip_test_harness.model import DemoElder
from storage import Store
from xunfang.vocabulary import Alert, CallDisposition, Speaker, zh

COLOURS = {"紧急": "bold red", "待复核": "yellow", "完成": "green"}


@dataclass(slots=True)
class Row:
    state: str = "等待"
    said: str = ""
    alert: Alert = Alert.NONE
    calls: int = 0
    outcome: CallDisposition | None = None
    case: str = ""
    on_call: bool = False


class LiveTable:
    """Fed by session events from the fleet's thread; rendered from the main thread."""

    def __init__(self, store: Store, elders: Mapping[int, DemoElder], console: Console) -> None:
        self._store = store
        self._elders = elders
        self._console = console
        self._rows = {id: Row() for id in elders}
        self._elder_of: dict[int, int] = {}
        self._lock = threading.Lock()
        self.done = 0

    def heard(self, event: CallEvent) -> None:
        with self._lock:
            row = self._row(event.call_id)
            if row is not None:
                self._apply(row, event)

    def _row(self, call_id: int) -> Row | None:
        if call_id not in self._elder_of:
            with self._store.read() as work:
                call = work.calls.get(call_id)
            if call is None or call.elder_id not in self._rows:
                return None
            self._elder_of[call_id] = call.elder_id
            self._rows[call.elder_id].calls += 1
        return self._rows[self._elder_of[call_id]]

    def _apply(self, row: Row, event: CallEvent) -> None:
        if isinstance(event, Ringing):
            row.state, row.on_call = "响铃", True
        elif isinstance(event, Answered):
            row.state, row.on_call = "通话中", True
        elif isinstance(event, TurnHeard) and event.speaker is not Speaker.SYSTEM:
            row.said = event.text
        elif isinstance(event, AlertRaised):
            row.alert = max(row.alert, event.alert, key=list(Alert).index)
        elif isinstance(event, Remembered):
            row.said += "（已记住）"
        elif isinstance(event, CallEnded):
            row.state, row.on_call, row.outcome = zh(event.disposition), False, event.disposition
            if not self._console.is_terminal:
                member = self._elders[self._elder_of[event.call_id]]
                self._console.print(f"{member.persona.name}：{row.state}  {row.said}", highlight=False)

    def settled(self, cases: Mapping[int, str], unfinished: set[int]) -> None:
        """`cases`: elder id -> 紧急求助 …; called after each look into the database."""
        with self._lock:
            for id, row in self._rows.items():
                row.case = cases.get(id, "")
            self.done = len(self._rows) - len(unfinished)

    def __rich__(self) -> RenderableType:
        table = Table(title="电话巡访  向阳村", title_justify="left", expand=False)
        for column in ("老人", "情形", "次", "状态", "最后一句", "警报", "上门案件"):
            table.add_column(column, overflow="ellipsis", no_wrap=True)
        with self._lock:
            for id, row in self._rows.items():
                persona = self._elders[id].persona
                table.add_row(
                    persona.name,
                    persona.story,
                    str(row.calls or ""),
                    Text(("☎ " if row.on_call else "") + row.state, style=COLOURS.get(row.state, "")),
                    row.said,
                    Text(
                        "" if row.alert is Alert.NONE else zh(row.alert), style=COLOURS.get(zh(row.alert), "")
                    ),
                    row.case,
                )
            bar = ProgressBar(total=len(self._rows), completed=self.done, width=40)
            return Group(table, Text(f"已有结果 {self.done}/{len(self._rows)}"), bar)
