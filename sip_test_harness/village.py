"""A village of softphones: start it, call it, look at what happened, stop it.

    with Village(list_personas(), port=5700, rtp_port=34000, processes=2) as village:
        ... dial any persona's number at village.gateway ...
        for event in village.events(): ...

One exchange and N softphone processes; `port` is the exchange's, the processes take the next N.
RTP: a hundred ports for each process from `rtp_port` on, then a hundred for the exchange. A softphone
process that dies is reported as an ERROR event and started again. A caller that dies is hung up after three
seconds, but pjsip keeps its line for another half minute (nobody answers the BYE): where callers may be
killed, start a process more than the calls alone would need.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any

from ivr.telephony.model import MAX_CALLS
from sip_test_harness.ears import PROMPTS
from sip_test_harness.exchange import ExchangeConfig
from sip_test_harness.model import Kind, Persona, VillageEvent
from sip_test_harness.orders import Order, SoftphoneConfig, event
from xunfang.errors import BadScenario, TrunkError

RTP_PORTS = 100
START_S = 30.0  # several processes may have to load on a busy machine
STOP_S = 5.0
EXCHANGE = -1


class Village:
    """`prompts`: folder of the prompts that will be played to us (index.yaml: text -> file).
    `loss_percent`: RTP packets lost both ways. `on_event` is called from the village's own
    thread as things happen."""

    def __init__(
        self,
        personas: Iterable[Persona],
        host: str = "127.0.0.1",
        port: int = 5700,
        rtp_port: int = 34000,
        processes: int = 1,
        on_event: Callable[[VillageEvent], None] | None = None,
        loss_percent: int = 0,
        prompts: Path = PROMPTS,
    ) -> None:
        self._personas = {persona.number: persona for persona in personas}
        self._host, self._port, self._rtp_port, self._count = host, port, rtp_port, processes
        self._on_event = on_event
        self._loss_percent, self._prompts = loss_percent, prompts
        self._context = multiprocessing.get_context("spawn")
        self._pipes: dict[int, Connection] = {}
        self._running: dict[int, BaseProcess] = {}
        self._events: list[VillageEvent] = []
        self._holding: dict[str, int] = {}  # number -> process that has its latest call
        self._ready: set[int] = set()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def gateway(self) -> str:
        """host:port to dial at."""
        return f"{self._host}:{self._port}"

    @property
    def lines(self) -> int:
        """Calls that can be up at a time."""
        return self._count * MAX_CALLS

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the softphone processes."""
        return tuple(p.pid for at, p in sorted(self._running.items()) if at != EXCHANGE and p.pid)

    def start(self) -> Village:
        """Return when every process takes calls. TrunkError when a port is taken."""
        for at in (EXCHANGE, *range(self._count)):
            self._spawn(at)
        self._thread = threading.Thread(target=self._watch, name="village", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_S
        with self._changed:
            while len(self._ready) <= self._count:
                errors = [e.text for e in self._events if e.kind is Kind.ERROR]
                if errors or not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    break
            else:
                return self
        self.stop()
        raise TrunkError(
            "the village does not start: " + (errors[0] if errors else f"not ready after {START_S:.0f} s")
        )

    def stop(self) -> None:
        """End all processes, hanging up what is still on the line. May be called twice."""
        with self._changed:
            self._stopping = True
        for pipe in self._pipes.values():
            _send(pipe, None)
        for running in self._running.values():
            running.join(STOP_S)
            if running.is_alive():
                running.kill()
                running.join(STOP_S)
        if self._thread is not None:
            self._thread.join(STOP_S)
        for pipe in self._pipes.values():
            pipe.close()
        self._pipes.clear()

    def __enter__(self) -> Village:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def events(self) -> list[VillageEvent]:
        """Everything so far, oldest first."""
        with self._changed:
            return list(self._events)

    def wait_for(
        self, wanted: Callable[[VillageEvent], bool], after: int = 0, within: float = 10.0
    ) -> tuple[int, VillageEvent] | None:
        """The first such event from index `after` on, with its index; None when it does not come in time."""
        deadline = time.monotonic() + within
        with self._changed:
            while True:
                for at in range(after, len(self._events)):
                    if wanted(self._events[at]):
                        return at, self._events[at]
                after = max(after, len(self._events))
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None

    def add(self, persona: Persona) -> None:
        """Somebody moves in, or begins another life under the same number."""
        self._personas[persona.number] = persona
        self._tell_all(persona)

    def forget_calls(self) -> None:
        """From now on every call is a first call again."""
        _send(self._pipes[EXCHANGE], "forget")

    def order(self, order: Order) -> None:
        """Do something with a telephone in a test's hand."""
        at = self._holding.get(order.number)
        if order.verb == "dial":
            at = self._holding.setdefault(order.number, 0)
        if at is None:
            raise BadScenario(f"nothing to {order.verb}: that number has not been called yet")
        _send(self._pipes[at], order)

    # ---- inside ------------------------------------------------------------------------------

    def _tell_all(self, persona: Persona) -> None:
        for pipe in self._pipes.values():
            _send(pipe, persona)

    def _spawn(self, at: int) -> None:
        mine, theirs = self._context.Pipe()
        personas = tuple(self._personas.values())
        config: Any
        if at == EXCHANGE:
            addresses = tuple((self._host, self._port + 1 + n) for n in range(self._count))
            rtp_port = self._rtp_port + self._count * RTP_PORTS
            config = ExchangeConfig((self._host, self._port), addresses, rtp_port, personas)
            main: Any = _exchange
        else:
            config = SoftphoneConfig(
                at,
                (self._host, self._port + 1 + at),
                (self._host, self._port),
                self._rtp_port + at * RTP_PORTS,
                RTP_PORTS,
                personas,
                self._loss_percent,
                self._prompts,
            )
            main = _softphones
        running = self._context.Process(target=main, args=(config, theirs), name=f"village-{at}", daemon=True)
        running.start()
        theirs.close()
        self._pipes[at], self._running[at] = mine, running

    def _watch(self) -> None:
        while True:
            owners = {pipe: at for at, pipe in self._pipes.items()}
            for pipe in wait(list(owners), timeout=0.5):
                assert isinstance(pipe, Connection)
                at = owners[pipe]
                try:
                    self._note(at, pipe.recv())
                except (EOFError, OSError):
                    if not self._died(at):
                        del self._pipes[at]
            with self._changed:
                if self._stopping and not any(p.is_alive() for p in self._running.values()):
                    return
            if not self._pipes:
                return

    def _note(self, at: int, what: VillageEvent) -> None:
        with self._changed:
            if what.kind is Kind.READY:
                self._ready.add(at)
            elif what.kind is Kind.INCOMING:
                self._holding[what.number] = at
            self._events.append(what)
            self._changed.notify_all()
        if self._on_event is None:
            return
        try:
            self._on_event(what)
        except Exception as why:  # the village goes on; whoever reads its events is told
            with self._changed:
                self._events.append(event(Kind.ERROR, text=f"on_event failed: {type(why).__name__}"))
                self._changed.notify_all()

    def _died(self, at: int) -> bool:
        """True: it was started again."""
        running = self._running[at]
        running.join(STOP_S)
        with self._changed:
            expected = self._stopping
            started = at in self._ready
        if expected:
            return False
        text = f"a process of the village ended unasked (exit code {running.exitcode})"
        self._note(at, event(Kind.ERROR, text=text))
        if at == EXCHANGE or not started:
            return False
        self._pipes[at].close()
        self._spawn(at)
        return True


def _softphones(config: SoftphoneConfig, pipe: Connection) -> None:
    from sip_test_harness.process import softphones  # pjsua2 is loaded in the child only

    softphones(config, pipe)


def _exchange(config: ExchangeConfig, pipe: Connection) -> None:
    from sip_test_harness.process import exchange

    exchange(config, pipe)


def _send(pipe: Connection, what: Any) -> None:
    with contextlib.suppress(OSError):  # it has ended already; its watcher says so
        pipe.send(what)
