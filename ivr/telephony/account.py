"""Who we are to a SIP peer: credentials, registration, and the door for incoming calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pjsua2 as pj

from ivr.telephony import headers
from ivr.telephony.call import SipCall
from ivr.telephony.endpoint import NoSlot, SipEndpoint
from ivr.telephony.leg import Leg
from xunfang.errors import TrunkError
from xunfang.log import get_logger

REGISTER_AGAIN_S = 20  # after a failed REGISTER

_log = get_logger("telephony")


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """`uri`: our address of record. `registrar` empty: the peer knows us by IP address.

    `proxies`: outbound proxies, in order; `lr` is added here.
    """

    uri: str
    registrar: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    proxies: tuple[str, ...] = ()
    register_s: int = 300


@dataclass(frozen=True, slots=True)
class Registration:
    """`code` 0: no answer yet."""

    active: bool = False
    code: int = 0
    phrase: str = ""


IncomingHandler = Callable[[SipCall], None]
LegMaker = Callable[[], Leg]


class SipAccount:
    """`on_incoming` is called inside `poll` with the call still unanswered; without one, callers hear 480.

    `make_leg` gives each incoming call its audio side (default: a Leg that listens to nothing).
    """

    def __init__(
        self,
        endpoint: SipEndpoint,
        spec: AccountSpec,
        on_incoming: IncomingHandler | None = None,
        make_leg: LegMaker = Leg,
    ) -> None:
        self.endpoint = endpoint
        self.registration = Registration()
        self.registers = bool(spec.registrar)
        self._on_incoming = on_incoming
        self._make_leg = make_leg
        config = pj.AccountConfig()
        config.idUri = spec.uri
        config.regConfig.registerOnAdd = self.registers
        if self.registers:
            config.regConfig.registrarUri = spec.registrar
            config.regConfig.timeoutSec = spec.register_s
            config.regConfig.retryIntervalSec = REGISTER_AGAIN_S
        if spec.username:
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", spec.username, 0, spec.password))
        for proxy in spec.proxies:
            config.sipConfig.proxies.append(proxy if ";lr" in proxy else f"{proxy};lr")
        media = config.mediaConfig
        media.lockCodecEnabled = False  # it would re-INVITE after every answer that names both laws
        media.transportConfig.boundAddress = endpoint.config.local_ip
        media.transportConfig.port = endpoint.config.rtp_port
        media.transportConfig.portRange = endpoint.config.rtp_ports
        self.pj_account = _PjAccount(self)
        try:
            self.pj_account.create(config)
        except pj.Error as error:
            raise TrunkError(
                f"the SIP account is refused by the SIP stack: {error.reason}; check domain and username"
            ) from None
        endpoint.keep_account(self.pj_account)

    def dial(self, uri: str, leg: Leg, target: str = "", extra: Mapping[str, str] | None = None) -> SipCall:
        """Start a call. NoSlot when all are taken, TrunkError when the INVITE cannot leave."""
        if self.endpoint.free_slots == 0:
            raise NoSlot("all call slots of this line are taken")
        call = SipCall(self.endpoint, self, leg)
        call.make(uri, target, extra)
        return call

    def incoming(self, call_id: int, message: str, source: str) -> None:
        """For the callback: wrap, then ask the owner."""
        call = SipCall(self.endpoint, self, self._make_leg(), call_id)
        call.called = headers.request_user(message)
        call.caller = headers.from_user(message)
        call.contact = headers.contact_uri(message)
        call.methods = headers.methods(message)
        call.source = source.rpartition(":")[0].strip("[]")
        if self._on_incoming is None:
            call.answer(480)
        else:
            self._on_incoming(call)


class _PjAccount(pj.Account):  # type: ignore[misc]
    def __init__(self, owner: SipAccount) -> None:
        super().__init__()
        self.owner = owner

    def onRegState(self, parameters: Any) -> None:
        try:
            info = self.getInfo()
            code = int(parameters.code)
            self.owner.registration = Registration(bool(info.regIsActive), code, str(parameters.reason))
            if code >= 300:
                _log.warning("trunk.register_failed", code=code)
        except Exception as error:
            _log.error("call.callback_failed", callback="registration", kind=type(error).__name__)

    def onIncomingCall(self, parameters: Any) -> None:
        try:
            rdata = parameters.rdata
            self.owner.incoming(int(parameters.callId), str(rdata.wholeMsg), str(rdata.srcAddress))
        except Exception as error:
            _log.error("call.callback_failed", callback="incoming", kind=type(error).__name__)
