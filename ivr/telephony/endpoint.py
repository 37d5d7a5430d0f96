"""One SIP endpoint: pjsua2 needs exactly one per process, polled from the main thread.

Rules this module keeps so that nobody else has to (each was measured; the wheel is built
with asserts on, so breaking one is SIGABRT, not an exception):

- no worker threads, `mainThreadOnly`: every SIP callback runs inside `poll`, on the thread
  that made the endpoint;
- the cyclic garbage collector is off for the whole process, because it would run pjsip's
  destructors on whatever thread happens to allocate; `poll` collects on the main thread;
- a Call object is never destroyed by Python: a late destructor hangs up the stranger who
  has its slot by then. They are disowned when they end and kept a while (call.py);
- ports are made here and only lent (port.py);
- exit is `close()` or, when in doubt, `exit_process(code)`: leaving without libDestroy may
  abort or hang for ever;
- the null audio device clocks the bridge.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pjsua2 as pj

from ivr.telephony.leg import Leg
from ivr.telephony.model import MAX_CALLS, RATE, EndpointConfig
from ivr.telephony.port import ConferencePort
from xunfang.errors import TrunkError
from xunfang.log import get_logger

if TYPE_CHECKING:
    from ivr.telephony.call import SipCall

CODECS = {"PCMA/8000/1": 255, "PCMU/8000/1": 254}  # G.711 (律): all that Chinese trunks agree on
COLLECT_EVERY_S = 30.0
KEEP_ENDED_CALLS_S = 40.0  # longer than SIP's 32 s timers, which may still refer to them
SILENT_SLOT_S = 32.5  # a call whose peer is silent holds its slot until timer B or F (RFC 3261) fires
FULL_S = 1.0  # after pjsip refused a call although we counted a free slot: ask again then
CLOSE_POLL_S = 0.3  # time for BYEs to leave
UNREGISTER_POLLS = 5  # of 20 ms: time for the REGISTER that takes us out, challenge included
_SHOWN_LOG_LEVEL = 2  # pjsip: 1 error, 2 warning
_PORT_TAKEN = "socket bind() at"
_URI = re.compile(r"(sips?:|tel:)[^@>;\s]+@?")

_log = get_logger("telephony")


@contextmanager
def _stdout_away() -> Iterator[None]:
    """libCreate prints to stdout before any log setting counts, and stdout belongs to results."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


class NoSlot(TrunkError):
    """Not the trunk's fault: every call slot of this process is taken. Ask again in a moment."""


class _LogWriter(pj.LogWriter):  # type: ignore[misc]
    """pjsip's errors and warnings become log events; user parts of URIs are numbers and stay out."""

    def write(self, entry: Any) -> None:
        text = _URI.sub(r"\1***@", entry.msg.strip())
        if _PORT_TAKEN in text:
            _log.debug("pjsip", text=text)  # it goes on to the next port of the range by itself
        else:
            (_log.error if entry.level <= 1 else _log.warning)("pjsip", text=text)


class SipEndpoint:
    """The process's endpoint. `TrunkError` when it cannot listen where it was told to."""

    def __init__(self, config: EndpointConfig) -> None:
        gc.disable()
        self.config = config
        self.calls: dict[int, SipCall] = {}  # keeps active calls alive: a dropped one is hung up
        self._ended: deque[tuple[float, Any]] = deque()
        self._silent_until: list[float] = []
        self._full_until = 0.0
        self._accounts: list[Any] = []
        self._next_collect = time.monotonic() + COLLECT_EVERY_S
        self._closed = False
        self._writer = _LogWriter()
        self._ep = pj.Endpoint()
        try:
            self._start(config)
        except pj.Error as error:
            reason = error.reason
            self._closed = True
            self._ep.libDestroy()
            raise TrunkError(
                f"cannot listen for SIP on {config.local_ip}:{config.sip_port}/{config.transport}: {reason}; "
                "choose another local_ip or sip_port"
            ) from None
        self._free_ports = [ConferencePort(f"leg{n}") for n in range(MAX_CALLS)]
        self._ports = list(self._free_ports)
        gc.freeze()

    def _start(self, config: EndpointConfig) -> None:
        with _stdout_away():
            self._ep.libCreate()
        settings = pj.EpConfig()
        settings.logConfig.level = _SHOWN_LOG_LEVEL
        settings.logConfig.consoleLevel = _SHOWN_LOG_LEVEL
        settings.logConfig.writer = self._writer
        settings.uaConfig.threadCnt = 0
        settings.uaConfig.mainThreadOnly = True
        settings.uaConfig.maxCalls = MAX_CALLS
        settings.uaConfig.userAgent = config.user_agent
        media = settings.medConfig
        media.clockRate = media.sndClockRate = RATE
        media.ecTailLen = 0
        media.noVad = True
        media.txDropPct = config.tx_drop_pct
        media.rxDropPct = config.rx_drop_pct
        self._ep.libInit(settings)
        self._ep.audDevManager().setNullDev()
        transport = pj.TransportConfig()
        transport.boundAddress = config.local_ip
        transport.port = config.sip_port
        kind = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}[config.transport]
        self._transport = self._ep.transportCreate(kind, transport)
        self._ep.libStart()
        for codec in self._ep.codecEnum2():
            self._ep.codecSetPriority(codec.codecId, CODECS.get(codec.codecId, 0))

    @property
    def address(self) -> str:
        """host:port others reach us at."""
        return str(self._ep.transportGetInfo(self._transport).localName)

    def poll(self, milliseconds: int = 10) -> None:
        """Let SIP happen; callbacks run inside. The main thread calls this all the time."""
        self._ep.libHandleEvents(milliseconds)
        now = time.monotonic()
        while self._ended and self._ended[0][0] < now:
            self._ended.popleft()
        if now >= self._next_collect:
            self._next_collect = now + COLLECT_EVERY_S
            gc.collect()

    # ---- slots --------------------------------------------------------------------------

    @property
    def free_slots(self) -> int:
        """Calls that can be made now. Calls whose peer is silent hold theirs for 32 s."""
        now = time.monotonic()
        if now < self._full_until:
            return 0
        self._silent_until = [until for until in self._silent_until if until > now]
        return max(0, MAX_CALLS - len(self.calls) - len(self._silent_until))

    def note_full(self) -> None:
        """For call.py: pjsip knows of a taken slot that we do not (a BYE that nobody answers)."""
        self._full_until = time.monotonic() + FULL_S

    def lend_port(self, leg: Leg) -> ConferencePort:
        """For call.py: the port that will carry this leg."""
        port = self._free_ports.pop()
        port.leg = leg
        return port

    def take_back(self, port: ConferencePort) -> None:
        port.leg = None
        self._free_ports.append(port)

    def bury(self, pj_call: Any, *, slot_still_taken: bool) -> None:
        """For call.py: an ended, disowned pj.Call; kept until pjsip has certainly forgotten it."""
        now = time.monotonic()
        self._ended.append((now + KEEP_ENDED_CALLS_S, pj_call))
        if slot_still_taken:
            self._silent_until.append(now + SILENT_SLOT_S)

    def keep_account(self, account: Any) -> None:
        self._accounts.append(account)

    # ---- the end ------------------------------------------------------------------------

    def close(self) -> None:
        """Hang up, say goodbye to the registrar, free everything in the order that does not abort."""
        if self._closed:
            return
        self._closed = True
        self._ep.hangupAllCalls()
        until = time.monotonic() + CLOSE_POLL_S
        while time.monotonic() < until:
            self._ep.libHandleEvents(20)
        for call in list(self.calls.values()):
            call.disown()
        self.calls.clear()
        for account in self._accounts:
            account.shutdown()
        for _ in range(UNREGISTER_POLLS if self._accounts else 0):
            self._ep.libHandleEvents(20)
        self._free_ports.clear()
        self._ports.clear()
        sys.last_traceback = None  # it would pin whatever a failed callback held
        gc.collect()
        # Everybody has been told; without this flag pjsip waits a second for replies.
        self._ep.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)

    def exit_process(self, code: int = 0) -> NoReturn:
        """For the main of a process: close and leave without running any destructor."""
        try:
            self.close()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
