"""A SIP phone in a process of its own, told what to do and asked what happened.

Built on the low-level kit that lines use. In its own process because pjsua2 allows one
endpoint per process and aborts where it should raise: the tests must survive that.

    with Softphone(5610) as phone:
        phone.do("dial", "sip:1@127.0.0.1:5611")
        phone.wait_for("Ended")
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from typing import Any

RTP_PORTS = 40
RTP_BASE = 30000
QUIET_FRAMES = 30  # 0.6 s after the last word it is our turn
# Lines of a script besides PCM: keys to press, and these
WAIT_FOR_NOTHING = ""  # the next line comes without waiting for the caller
HANG_UP = "hang up"


def _main(connection: Connection, sip_port: int, options: dict[str, Any]) -> None:
    from ivr.telephony.account import AccountSpec, SipAccount
    from ivr.telephony.call import Event, SipCall
    from ivr.telephony.dialling import Dialling
    from ivr.telephony.endpoint import NoSlot, SipEndpoint
    from ivr.telephony.leg import Leg
    from ivr.telephony.model import EndpointConfig, TrunkConfig
    from ivr.telephony.trunk import Trunk

    endpoint = SipEndpoint(
        EndpointConfig(
            sip_port=sip_port,
            rtp_port=RTP_BASE + (sip_port % 100) * RTP_PORTS,
            rtp_ports=RTP_PORTS,
            transport=options.get("transport", "udp"),
        )
    )
    calls: list[SipCall] = []
    diallings: list[Dialling] = []
    trunks: dict[TrunkConfig, Trunk] = {}
    heard = bytearray()

    def send(kind: str, fields: dict[str, Any]) -> None:
        if not options.get("mute"):
            connection.send((kind, fields))

    def tell(event: Event) -> None:
        send(type(event).__name__, {name: getattr(event, name) for name in event.__slots__})

    quiet: dict[int, list[int]] = {}  # leg -> frames of silence in a row, whether a voice came before
    scripts: dict[int, list[bytes | str]] = {}

    def leg() -> Leg:
        made = Leg()
        state = quiet[id(made)] = [0, 0]

        def listen(_offset: int, frame: bytes) -> None:
            heard.extend(frame)
            loud = any(high not in (0, 255) for high in frame[1::8])
            state[:] = (0, 1) if loud else (state[0] + 1, state[1])

        made._on_frame = listen
        return made

    def reply(call: SipCall) -> None:
        """The next line of the script, whenever the caller has spoken and fallen silent."""
        script = scripts.get(id(call))
        if not script or not call.answered or call.leg.playing or call.over:
            return
        state = quiet[id(call.leg)]
        at_once = script[0] == WAIT_FOR_NOTHING
        if at_once or (state[1] and state[0] >= QUIET_FRAMES):
            state[:] = 0, 0
            say = script.pop(1 if at_once else 0)
            if at_once:
                script.pop(0)
            if isinstance(say, bytes):
                call.leg.play(say)
            elif say == HANG_UP:
                call.hang_up("script")
            elif say:
                call.send_keys(say)

    def incoming(call: SipCall) -> None:
        calls.append(call)
        send("Incoming", {"called": call.called, "caller": call.caller})
        persona = options.get("personas", {}).get(call.called, {})
        scripts[id(call)] = list(persona.get("script", ()))
        for code in persona.get("answer", options.get("answer", ())):
            call.answer(code)
        if "early" in persona:
            call.leg.play(persona["early"])

    account = SipAccount(
        endpoint,
        AccountSpec(
            f"sip:phone@127.0.0.1:{sip_port}",
            registrar=options.get("registrar", ""),
            username=options.get("username", ""),
            password=options.get("password", ""),
            proxies=tuple(options.get("proxies", ())),
        ),
        incoming,
        leg,
    )
    connection.send(("Ready", {}))
    while True:
        endpoint.poll(10)
        for call in calls:
            reply(call)
            while call.events:
                tell(call.events.popleft())
        for dialling in diallings:
            for event in dialling.step(time.monotonic()):
                tell(event)
        while connection.poll():
            what, arguments = connection.recv()
            call = calls[-1] if calls else None
            if what == "expect_call":  # forget what was; answer the next calls with these codes
                options["answer"] = arguments
                heard.clear()
                calls[:] = [other for other in calls if not other.over]
                connection.send(("Expecting", {}))
            elif what == "ignore_events":
                options["mute"] = True
            elif what == "dial":
                calls.append(account.dial(arguments[0], leg(), *arguments[1:]))
            elif what == "dial_trunk":
                config, number = arguments
                if config not in trunks:  # pjsip keeps 8 accounts
                    trunks[config] = Trunk(endpoint, config)
                try:
                    diallings.append(Dialling(trunks[config], number, leg(), time.monotonic()))
                except NoSlot:
                    send("NoSlot", {})
            elif what == "cancel":
                diallings[-1].hang_up(*arguments)
            elif what == "play" and call:
                call.leg.play(arguments[0])
            elif what == "heard":
                connection.send(
                    ("Heard", {"pcm": bytes(heard), "packets": call.rtp_packets() if call else 0})
                )
            elif what == "slots":
                connection.send(("Slots", {"free": endpoint.free_slots}))
            elif what == "close":
                endpoint.exit_process(0)
            elif call:
                getattr(call, what)(*arguments)


class Softphone:
    def __init__(self, sip_port: int, **options: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.port = sip_port
        self.seen: list[tuple[str, dict[str, Any], float]] = []
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, sip_port, options), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Softphone:
        self.wait_for("Ready", 20)
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process.is_alive():
            self.resume()
            with contextlib.suppress(OSError):
                self.do("close")
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def do(self, what: str, *arguments: Any) -> None:
        self._connection.send((what, arguments))

    def expect_call(self, *codes: int) -> None:
        """From now on incoming calls get these replies, one after another; none: they wait for `answer`."""
        self.do("expect_call", *codes)
        self.wait_for("Expecting")

    def ignore_events(self) -> None:
        """Nobody will ask: without this the pipe fills after a hundred calls and the phone falls silent."""
        self.do("ignore_events")

    def drain(self) -> None:
        """Forget what has happened so far."""
        while self._connection.poll(0.05):
            self._connection.recv()
        self.seen.clear()

    def gather(self, kind: str, count: int, timeout: float = 8.0) -> list[dict[str, Any]]:
        """So many events of a kind, in the order they came."""
        return [self.wait_for(kind, timeout) for _ in range(count)]

    def freeze(self) -> None:
        """No RTP, no SIP: as if its network had gone."""
        assert self._process.pid
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process.pid
        os.kill(self._process.pid, signal.SIGCONT)

    def wait_for(self, kind: str, timeout: float = 8.0, **fields: Any) -> dict[str, Any]:
        """The next event of this kind with these fields; AssertionError names what came instead."""
        until = time.monotonic() + timeout
        others = []
        while (left := until - time.monotonic()) > 0:
            if not self._connection.poll(left):
                break
            name, values = self._connection.recv()
            self.seen.append((name, values, time.monotonic()))
            if name == kind and all(values.get(field) == value for field, value in fields.items()):
                return values
            others.append(name)
        raise AssertionError(f"no {kind} {fields} within {timeout} s; there was {others}")
