"""The processes of a village: softphones (one pjsua2 endpoint, at most four calls each) and the exchange.

Both are started fresh (spawn), because pjsua2 must not be forked, and both end when their pipe does.
Up the pipe go VillageEvents; down come orders.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import MutableMapping
from multiprocessing.connection import Connection
from typing import Any

import structlog

from ivr.telephony.account import AccountSpec, SipAccount
from ivr.telephony.call import SipCall
from ivr.telephony.endpoint import SipEndpoint
from ivr.telephony.model import EndpointConfig
from sip_test_harness.ears import bank_of
from sip_test_harness.exchange import LINES, SEPARATOR, Exchange, ExchangeConfig, serve
from sip_test_harness.handset import Handset, VillageLeg
from sip_test_harness.model import Kind, Persona
from sip_test_harness.orders import Order, SoftphoneConfig, event
from xunfang import log
from xunfang.errors import TrunkError

POLL_MS = 10
TELL_LINES_EVERY_S = 1.0
DEAD_CALLERS_HOLD_S = 33.0  # a BYE that nobody answers keeps its slot until SIP's timer F ends it


def softphones(config: SoftphoneConfig, pipe: Connection) -> None:
    """Main of a softphone process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops us
    log.configure("WARNING")
    bank = bank_of(config.prompts)
    try:
        endpoint = SipEndpoint(
            EndpointConfig(
                local_ip=config.here[0],
                sip_port=config.here[1],
                rtp_port=config.rtp_port,
                rtp_ports=config.rtp_ports,
                user_agent="village",
                tx_drop_pct=config.loss_percent,
                rx_drop_pct=config.loss_percent,
            )
        )
    except TrunkError as why:
        pipe.send(event(Kind.ERROR, text=str(why)))
        sys.exit(why.exit_code)
    _errors_become_events(pipe)
    personas = {persona.number: persona for persona in config.personas}
    handsets: list[Handset] = []

    def incoming(call: SipCall) -> None:
        number, _, nth = call.called.partition(SEPARATOR)
        persona = personas.get(number)
        if persona is None:
            call.answer(404)
            return
        count = int(nth or 1)

        def report(kind: Kind, text: str, code: int | None) -> None:
            pipe.send(event(kind, number, persona.id, count, text, code))

        report(Kind.INCOMING, "", None)
        handsets.append(Handset(call, persona, count, bank, report, time.monotonic()))

    def dial(number: str, nth: int, to: str, shown: bool) -> None:
        """The elder rings; the number is asserted as a carrier does it (RFC 3325)."""
        persona = personas[number]
        here = f"{config.here[0]}:{config.here[1]}"
        who = f"<sip:{number}@{here}>" if shown else "<sip:anonymous@anonymous.invalid>"

        def report(kind: Kind, text: str, code: int | None) -> None:
            pipe.send(event(kind, number, persona.id, nth, text, code))

        report(Kind.CALLING, "", None)
        try:
            call = account.dial(to, VillageLeg(), extra={"P-Asserted-Identity": who})
        except TrunkError as why:
            report(Kind.ERROR, str(why), None)
            return
        handsets.append(Handset(call, persona, nth, bank, report, time.monotonic(), dialled=True))

    ringing_back: list[tuple[float, str, int, str]] = []  # (when, number, which call of his, whom)
    account = SipAccount(
        endpoint,
        AccountSpec(uri=f"sip:village@{config.here[0]}:{config.here[1]}"),
        on_incoming=incoming,
        make_leg=VillageLeg,
    )
    lines = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    told, tell_at = -1, 0.0
    held: list[float] = []  # until when pjsip keeps the slots of callers that died
    pipe.send(event(Kind.READY))
    try:
        while True:
            endpoint.poll(POLL_MS)
            now = time.monotonic()
            over = [handset for handset in handsets if not handset.step(now)]
            for handset in over:
                at = handset.rings_back_at(now)
                if at is not None:
                    target = (handset.persona.number, handset.nth + 1, handset.call.contact)
                    ringing_back.append((at, *target))
            for back in [each for each in ringing_back if each[0] <= now]:
                ringing_back.remove(back)
                dial(*back[1:], shown=True)
            held += [now + DEAD_CALLERS_HOLD_S for handset in over if handset.caller_died]
            held = [until for until in held if until > now]
            handsets[:] = [handset for handset in handsets if handset not in over]
            free = max(0, endpoint.free_slots - len(held))
            if free != told or now >= tell_at:
                told, tell_at = free, now + TELL_LINES_EVERY_S
                lines.sendto(LINES + b"%d %d" % (config.index, told), config.exchange)
            while pipe.poll():
                order = pipe.recv()
                if order is None:
                    return
                if isinstance(order, Persona):
                    personas[order.number] = order
                elif order.verb == "dial":
                    dial(order.number, 1, order.to, order.shown)
                else:
                    _obey(order, handsets, pipe)
    except EOFError:
        return
    finally:
        endpoint.exit_process(0)


def exchange(config: ExchangeConfig, pipe: Connection) -> None:
    """Main of the exchange process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    names = {persona.number: persona.id for persona in config.personas}

    one_at_a_time = threading.Lock()  # ghosts tell from threads of their own

    def tell(kind: Kind, number: str, nth: int, text: str) -> None:
        with one_at_a_time:
            pipe.send(event(kind, number, names.get(number, ""), nth, text))

    try:
        switch = Exchange(config, tell)
    except OSError as why:
        pipe.send(
            event(
                Kind.ERROR,
                text=f"cannot listen on {config.here[0]}:{config.here[1]}: {why.strerror}; choose another",
            )
        )
        sys.exit(TrunkError.exit_code)
    pipe.send(event(Kind.READY))
    serve(switch, pipe)


def _obey(order: Order, handsets: list[Handset], pipe: Connection) -> None:
    held = [handset for handset in handsets if handset.persona.number == order.number]
    if not held:
        pipe.send(event(Kind.ERROR, order.number, text=f"nothing to {order.verb}: there is no call"))
        return
    handset = held[-1]
    try:
        match order.verb:
            case "ring":
                handset.ring()
            case "answer":
                handset.answer()
            case "refuse":
                handset.refuse(order.code, order.q850)
            case "say":
                handset.say(order.speech)
            case "press":
                handset.press(order.digits, order.by)
            case "hang_up":
                handset.hang_up()
    except Exception as why:
        pipe.send(event(Kind.ERROR, order.number, handset.persona.id, handset.nth, f"{order.verb}: {why}"))


def _errors_become_events(pipe: Connection) -> None:
    """Whatever is logged as an error in here also fails the test that uses the village."""

    def capture(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if fields.get("level") == "error":
            pipe.send(event(Kind.ERROR, text=str({k: v for k, v in fields.items() if k != "timestamp"})))
        return fields

    processors = structlog.get_config()["processors"]
    structlog.configure(processors=[*processors[:-1], capture, processors[-1]])
