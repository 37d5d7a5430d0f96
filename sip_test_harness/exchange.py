"""The village's telephone exchange (交换机): one address for everybody, in front of the softphone processes.

    caller ──► exchange ──► process 1..N (at most 4 calls each)
                  │  └────► nobody: a black hole
                  └───────► a ghost: a line that dies in the middle

A stateless UDP proxy in a process of its own. It sees every INVITE first, so it counts how often
a number has been called (busy at first, answered later, whichever process takes the call) and
tells the process by writing NUMBER~NTH into the Request-URI. Audio, ACK and BYE go straight between
caller and softphone. Processes report their free lines by a short datagram of their own,
`LINES <process> <free>`.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from ivr.telephony.model import MAX_CALLS
from sip_test_harness import sip, voices
from sip_test_harness.ghost import Ghost
from sip_test_harness.model import Does, Kind, Persona
from sip_test_harness.sip import Address, SipText

LINES = b"LINES "
SEPARATOR = "~"  # between number and how often it has been called; unreserved in RFC 3261
REMEMBERED_CALLS = 20_000
GHOST_PORTS = 20
WAIT_FOR_A_LINE_S = 3.0  # a line that has just hung up is free a moment later
TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    here: Address
    processes: tuple[Address, ...]
    rtp_port: int
    personas: tuple[Persona, ...]


@dataclass(slots=True)
class _Route:
    """Where the messages of one call go. All None: nowhere (any more)."""

    number: str
    nth: int
    process: Address | None = None
    ghost: Ghost | None = None


Tell = Callable[[Kind, str, int, str], None]
"""(kind, number, nth call, text)"""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call that came while every line was taken."""

    invite: SipText
    source: Address
    route: _Route
    until: float


class Exchange:
    def __init__(self, config: ExchangeConfig, tell: Tell) -> None:
        self._here = config.here
        self._processes = config.processes
        self._rtp_port = config.rtp_port
        self._tell = tell
        self._personas = {persona.number: persona for persona in config.personas}
        self._called: Counter[str] = Counter()
        self._routes: OrderedDict[str, _Route] = OrderedDict()
        self._free = dict.fromkeys(range(len(config.processes)), MAX_CALLS)  # until they tell
        self._ghosts: list[Ghost] = []
        self._waiting: list[_Waiting] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(config.here)

    def add(self, persona: Persona) -> None:
        self._personas[persona.number] = persona

    def forget_calls(self) -> None:
        """Every number has never been called."""
        self._called.clear()

    def receive(self) -> None:
        """Take one datagram."""
        datagram, source = self.socket.recvfrom(65535)
        if datagram.startswith(LINES):
            _, process, free = datagram.split()
            self._free[int(process)] = int(free)
            self.tick(time.monotonic())
            return
        message = SipText.parse(datagram)
        if message is None:
            return
        if message.is_response:
            message.drop_first("via")
            to = sip.next_hop(message)
            if to is not None:
                self._send(message.encode(), to)
            return
        self._request(message, source)

    def tick(self, now: float) -> None:
        """Put waiting calls through, or give them up."""
        for call in list(self._waiting):
            if self._connect(call.route, call.route.nth):
                self._forward(call.invite, call.source, call.route)
            elif now >= call.until:
                text = "every line of the village is taken: start more processes"
                self._tell(Kind.ERROR, call.route.number, call.route.nth, text)
                self._send(sip.reply(call.invite, 503, "Village Is Full").encode(), call.source)
            else:
                continue
            self._waiting.remove(call)

    def close(self) -> None:
        for ghost in self._ghosts:
            ghost.stop()
        self.socket.close()

    def _send(self, datagram: bytes, to: Address) -> None:
        with contextlib.suppress(OSError):  # a caller that is gone
            self.socket.sendto(datagram, to)

    def _request(self, message: SipText, source: Address) -> None:
        call_id = message.get("call-id")
        route = self._routes.get(call_id)
        if route is None:
            if message.method == "OPTIONS":  # a gateway that asks whether we are alive
                self._send(sip.reply(message, 200, "OK").encode(), source)
            elif message.method == "INVITE":
                route = self._new_call(message, source, call_id)
            elif message.method != "ACK":
                self._send(sip.reply(message, 481, "No Such Call").encode(), source)
        elif route.ghost is not None:
            route.ghost.request(message, source)
        if route is not None and route.process is not None:
            self._forward(message, source, route)
        elif message.method == "CANCEL":
            self._give_up_waiting(message, source)

    def _give_up_waiting(self, cancel: SipText, source: Address) -> None:
        """The caller cancels while it still waits for a line."""
        for call in list(self._waiting):
            if call.invite.get("call-id") == cancel.get("call-id"):
                self._waiting.remove(call)
                self._send(sip.reply(cancel, 200, "OK").encode(), source)
                self._send(sip.reply(call.invite, 487, "Request Terminated").encode(), call.source)

    def _forward(self, message: SipText, source: Address, route: _Route) -> None:
        if route.process is not None:
            if f"{self._here[0]}:{self._here[1]}" in message.get("route"):
                message.drop_first("route")
            if message.method == "ACK" or ";tag=" not in message.get("to"):
                message.retarget(f"{route.number}{SEPARATOR}{route.nth}", route.process)
            sip.push_via(message, self._here, source)
            self._send(message.encode(), route.process)

    def _new_call(self, invite: SipText, source: Address, call_id: str) -> _Route:
        number = invite.user
        persona = self._personas.get(number)
        if persona is None:
            self._tell(Kind.ERROR, number, 0, "a call to a number that nobody in the village has")
            self._send(sip.reply(invite, 404, "Not Found").encode(), source)
            return self._remember(call_id, _Route(number, 0))
        nth = self._called[number] + 1
        attempt = persona.attempt(nth)
        route = _Route(number, nth)
        if attempt.does is Does.RTP_STOP:
            self._called[number] = nth
            self._tell(Kind.INCOMING, number, nth, "")
            self._send(sip.reply(invite, 100, "Trying").encode(), source)
            route.ghost = Ghost(
                invite,
                self._here,
                source,
                self._rtp_port + 2 * (len(self._ghosts) % GHOST_PORTS),
                voices.utterance((400, *attempt.opening), persona.voice, persona.speed),
                attempt.ring_s,
                attempt.stop_after_s,
                self._send,
                on_answer=lambda: self._tell(Kind.ANSWERED, number, nth, ""),
                on_bye=lambda: self._tell(Kind.HUNG_UP, number, nth, "them"),
            )
            self._ghosts.append(route.ghost)
        elif attempt.does is Does.BLACK_HOLE:
            self._called[number] = nth
            self._tell(Kind.INCOMING, number, nth, "")
        elif not self._connect(route, nth):
            self._send(sip.reply(invite, 100, "Trying").encode(), source)
            self._waiting.append(_Waiting(invite, source, route, time.monotonic() + WAIT_FOR_A_LINE_S))
        return self._remember(call_id, route)

    def _connect(self, route: _Route, nth: int) -> bool:
        """Give the call the process with most free lines; False when there is none."""
        process = max(self._free, key=lambda at: self._free[at])
        if self._free[process] <= 0:
            return False
        self._called[route.number] = nth
        self._free[process] -= 1
        route.process = self._processes[process]
        return True

    def _remember(self, call_id: str, route: _Route) -> _Route:
        self._routes[call_id] = route
        while len(self._routes) > REMEMBERED_CALLS:
            self._routes.popitem(last=False)
        return route


def serve(exchange: Exchange, pipe: Connection) -> None:
    """Until the pipe says None or is closed. Down the pipe come personas and "forget"."""
    try:
        while True:
            ready = wait([exchange.socket, pipe], TICK_S)
            exchange.tick(time.monotonic())
            if exchange.socket in ready:
                exchange.receive()
            if pipe in ready:
                try:
                    order = pipe.recv()
                except EOFError:
                    return
                if order is None:
                    return
                if order == "forget":
                    exchange.forget_calls()
                else:
                    exchange.add(order)
    finally:
        exchange.close()
