"""The carrier as a telephone line sees it (SIP 中继): whom to send a number to, and what next if that fails.

Each gateway is one account, because registration and its failure belong to a gateway. A
number always starts at the same gateway (rendezvous hashing: when one is taken out, only
its own numbers move), and goes on to the next one only when the first certainly did not
ring it: the INVITE could not leave, 503, or silence until the setup timer. Anything else
is an answer about the callee, and asking it twice would ring twice.
"""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Mapping

from ivr.telephony.account import AccountSpec, IncomingHandler, Registration, SipAccount
from ivr.telephony.call import SipCall
from ivr.telephony.endpoint import SipEndpoint
from ivr.telephony.leg import Leg
from ivr.telephony.model import TrunkConfig
from xunfang.errors import BadSettings, TrunkError
from xunfang.log import get_logger

NUMBER = re.compile(r"\+?[0-9]{2,20}")  # not \d: full-width digits are no SIP
MAX_GATEWAYS = 8  # accounts compiled into the SIP stack
SERVICE_UNAVAILABLE = 503
REQUEST_TIMEOUT = 408
FORBIDDEN = 403

_log = get_logger("telephony")


def checked_number(number: str) -> str:
    """The number as it may stand in a SIP URI: digits with an optional leading +. TrunkError otherwise."""
    bare = re.sub(r"[\s()-]", "", number)
    if not NUMBER.fullmatch(bare):
        raise TrunkError(
            "the number to call is not a telephone number: write digits, with + in front at most"
        )
    return bare


def gateways_for(number: str, gateways: tuple[str, ...]) -> tuple[str, ...]:
    """All gateways, the number's own first; the same order in every process and on every day."""

    def weight(gateway: str) -> bytes:
        return hashlib.blake2b(f"{number}|{gateway}".encode(), digest_size=8).digest()

    return tuple(sorted(gateways, key=weight))


def checked(config: TrunkConfig) -> TrunkConfig:
    """BadSettings that names what is wrong with a trunk's settings."""
    if not config.gateways:
        raise BadSettings("trunk.gateways is empty: name at least one host:port of the carrier")
    if len(config.gateways) > MAX_GATEWAYS:
        raise BadSettings(
            f"trunk.gateways names {len(config.gateways)}: a line can hold {MAX_GATEWAYS} at most"
        )
    for gateway in config.gateways:
        if not re.fullmatch(r"[A-Za-z0-9.\-]+(:\d{1,5})?", gateway):
            raise BadSettings(f"trunk.gateways: {gateway!r} is not host or host:port")
    if config.transport not in ("udp", "tcp"):
        raise BadSettings(f"trunk.transport is {config.transport!r}: allowed are udp and tcp")
    if config.register and not config.username:
        raise BadSettings("trunk.register is on but trunk.username is empty")
    if config.caller_id and not NUMBER.fullmatch(config.caller_id):
        raise BadSettings("trunk.caller_id must be digits, with + in front at most")
    return config


def may_try_next(*, rang: bool, code: int, by: str, our_reason: str) -> bool:
    """Whether a failed attempt certainly did not reach the callee."""
    if rang:
        return False
    if our_reason:
        return our_reason == "trunk_no_reply"
    return code == SERVICE_UNAVAILABLE or (by == "trunk" and code in (REQUEST_TIMEOUT, 502))


def address_of(config: TrunkConfig) -> str:
    """Our address of record (From). A registered trunk knows its user name, others the caller id."""
    user = config.username if config.register else config.caller_id or config.username or "xunfang"
    return f"sip:{user}@{config.domain}"


def _transport(config: TrunkConfig) -> str:
    return ";transport=tcp" if config.transport == "tcp" else ""


def uri_for(number: str, config: TrunkConfig) -> str:
    """Whom we call (To). pjsip also takes from it which transport our Contact must name."""
    return f"sip:{number}@{config.domain}{_transport(config)}"


def target_for(number: str, gateway: str, config: TrunkConfig) -> str:
    """Where the INVITE goes (Request-URI)."""
    return f"sip:{number}@{gateway}{_transport(config)}"


def caller_headers(config: TrunkConfig) -> Mapping[str, str]:
    """RFC 3325: which of our numbers the callee is shown; the carrier checks that it is ours."""
    if not config.caller_id:
        return {}
    return {"P-Preferred-Identity": f"<sip:{config.caller_id}@{config.domain}>"}


def trusted(config: TrunkConfig) -> frozenset[str]:
    """The IP addresses that calls may come from: those of the carrier's hosts, now."""
    hosts = [way.partition(":")[0] for way in (*config.gateways, config.outbound_proxy, *config.answer_from)]
    found: set[str] = set()
    for host in filter(None, hosts):
        try:
            found |= {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
        except OSError:
            _log.warning("trunk.host_unknown", host=host)  # calls to it fail, and say so, by themselves
    return frozenset(found)


class Trunk:
    """A line's accounts, one per gateway. `TrunkError` when the settings cannot work."""

    def __init__(
        self, endpoint: SipEndpoint, config: TrunkConfig, on_incoming: IncomingHandler | None = None
    ) -> None:
        self.config = checked(config)
        self._on_incoming = on_incoming
        self._known = trusted(config) if config.answer else frozenset()
        suffix = _transport(config)
        proxies = (f"sip:{config.outbound_proxy}{suffix}",) if config.outbound_proxy else ()
        self._accounts = {
            gateway: SipAccount(
                endpoint,
                AccountSpec(
                    uri=address_of(config),
                    registrar=f"sip:{gateway}{suffix}" if config.register else "",
                    username=config.username,
                    password=config.password,
                    proxies=proxies,
                ),
                on_incoming=self._incoming if config.answer and on_incoming is not None else None,
            )
            for gateway in config.gateways
        }

    def _incoming(self, call: SipCall) -> None:
        """Whoever is not the carrier may claim any number: not answered."""
        assert self._on_incoming is not None
        if call.source not in self._known:
            _log.warning("call.from_a_stranger_host", host=call.source)
            call.answer(FORBIDDEN)
        else:
            self._on_incoming(call)

    def registrations(self) -> dict[str, Registration]:
        """Gateway -> state; a trunk that knows us by IP address has nothing to report."""
        return {gateway: account.registration for gateway, account in self._accounts.items()}

    def usable(self, gateway: str) -> bool:
        account = self._accounts[gateway]
        return account.registration.active or not account.registers

    @property
    def ready(self) -> bool:
        """At least one gateway takes our calls."""
        return any(self.usable(gateway) for gateway in self._accounts)

    @property
    def settled(self) -> bool:
        """Every gateway has taken or refused our registration."""
        return all(self.usable(each) or account.registration.code for each, account in self._accounts.items())

    def problem(self) -> str:
        """Why no call can be made, and what to do; empty when one can."""
        if self.ready:
            return ""
        codes = sorted({account.registration.code for account in self._accounts.values()})
        if codes == [0]:
            return "the trunk does not answer our registration: check trunk.gateways and the network"
        return (
            f"the trunk refuses our registration ({', '.join(str(code) for code in codes if code)}): "
            "check trunk.username, trunk.password and trunk.domain"
        )

    def route(self, number: str) -> list[str]:
        """Gateways to try in turn. TrunkError when the number is none or no gateway knows us."""
        bare = checked_number(number)
        ways = [gateway for gateway in gateways_for(bare, self.config.gateways) if self.usable(gateway)]
        if not ways:
            raise TrunkError(self.problem())
        return ways

    def refer_uri(self, number: str) -> str:
        """Whom a transferred call goes to (Refer-To). TrunkError when the number is none."""
        return uri_for(checked_number(number), self.config)

    def dial(self, number: str, gateway: str, leg: Leg) -> SipCall:
        bare = checked_number(number)
        return self._accounts[gateway].dial(
            uri_for(bare, self.config),
            leg,
            target_for(bare, gateway, self.config),
            caller_headers(self.config),
        )
