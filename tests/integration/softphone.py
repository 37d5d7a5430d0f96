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
QUIET_FRAMES = 40  # 0.8 s after the last word it is our turn


def _main(connection: Connection, sip_port: int, options: dict[str, Any]) -> None:
    from ivr.telephony.account import AccountSpec, SipAccount
    from ivr.telephony.call import Event, SipCall
    from ivr.telephony.dialling import Dialling
    from ivr.telephony.endpoint import SipEndpoint
    from ivr.telephony.leg import Leg
    from ivr.telephony.model import EndpointConfig, TrunkConfig
    from ivr.telephony.trunk import Trunk

    endpoint = SipEndpoint(
        EndpointConfig(
            sip_port=sip_port,
            rtp_port=RTP_BASE + (sip_port % 100) * RTP_PORTS,
            rtp_ports=RTP_PORTS,
            tx_drop_pct=options.get("tx_drop_pct", 0),
        )
    )
    calls: list[SipCall] = []
    diallings: list[Dialling] = []
    trunks: dict[TrunkConfig, Trunk] = {}
    heard = bytearray()

    def tell(event: Event) -> None:
        fields = {name: getattr(event, name) for name in event.__slots__}
        connection.send((type(event).__name__, fields))

    script: list[bytes] = list(options.get("script", ()))
    quiet = [0, False]  # frames of silence in a row; whether there was a voice before them

    def listen(frame: bytes) -> None:
        heard.extend(frame)
        loud = max(frame[1::2][:160:4]) not in (0, 255) or min(frame[1::2]) not in (0, 255)
        quiet[:] = (0, True) if loud else (quiet[0] + 1, quiet[1])

    def leg() -> Leg:
        return Leg(lambda _offset, frame: listen(frame))

    def reply() -> None:
        """The next line of the script: at once when answered, then whenever the caller has fallen silent."""
        call = calls[-1] if calls else None
        if not script or call is None or not call.answered or call.leg.playing or call.over:
            return
        first = len(script) == len(options["script"])
        if first or (quiet[1] and quiet[0] >= QUIET_FRAMES):
            quiet[:] = 0, False
            call.leg.play(script.pop(0))
            connection.send(("Replied", {"left": len(script)}))

    def incoming(call: SipCall) -> None:
        calls.append(call)
        connection.send(("Incoming", {"called": call.called, "caller": call.caller}))
        for code in options.get("answer", ()):
            call.answer(code)

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
        reply()
        for call in calls:
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
            elif what == "dial":
                calls.append(account.dial(arguments[0], leg(), *arguments[1:]))
            elif what == "dial_trunk":
                config, number = arguments
                if config not in trunks:  # pjsip keeps 8 accounts
                    trunks[config] = Trunk(endpoint, config)
                diallings.append(Dialling(trunks[config], number, leg(), time.monotonic()))
            elif what == "cancel":
                diallings[-1].hang_up(*arguments)
            elif what == "play" and call:
                call.leg.play(arguments[0])
            elif what == "heard":
                connection.send(
                    ("Heard", {"pcm": bytes(heard), "packets": call.rtp_packets() if call else 0})
                )
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
