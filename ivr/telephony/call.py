"""One SIP call, outgoing or incoming, as a queue of events.

    dial ── CALLING ──► EARLY (180/183) ──► CONFIRMED ──► DISCONNECTED
    answer(180/183/200) ──┘                    Ended is the last event, always

pjsip's callbacks do nothing but post: whoever owns the call takes `events` after each
`endpoint.poll` and decides. The audio of the call is its `leg`, connected by itself as soon
as there is media, early media included, and at once: a call to which nothing was ever
connected stops sending RTP after a second, which looks like a dead peer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pjsua2 as pj

from ivr.telephony import headers
from ivr.telephony.endpoint import NoSlot, SipEndpoint
from ivr.telephony.leg import Leg
from ivr.telephony.port import ConferencePort
from xunfang.errors import TrunkError
from xunfang.log import get_logger

if TYPE_CHECKING:
    from ivr.telephony.account import SipAccount

_log = get_logger("telephony")

# pjsip offers payload 120 for telephone-event; peers that insist on the customary 101 would be ignored.
_OFFERED_DTMF, _CUSTOMARY_DTMF = "120", "101"
_TOO_MANY_CALLS = 70010  # PJ_ETOOMANY
REFER, NOT_ALLOWED = "REFER", 405
PEER_IS_GONE = "rtp_lost"  # a reason to hang up after which nobody will answer our BYE


class CallState(StrEnum):
    CALLING = "calling"
    INCOMING = "incoming"
    EARLY = "early"
    CONNECTING = "connecting"
    CONFIRMED = "confirmed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class StateChanged:
    """`code` is the last SIP status: 180 and 183 come as EARLY."""

    state: CallState
    code: int


@dataclass(frozen=True, slots=True)
class MediaUp:
    """The leg hears and is heard. Comes again after a re-INVITE."""

    codec: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """`method`: rfc2833 or info. `at`: time.monotonic(). Some phones send both for one key."""

    digit: str
    method: str
    at: float


@dataclass(frozen=True, slots=True)
class TransferTold:
    """What the other side says of a transfer (RFC 3515): the reply to REFER, or the status of the new call
    in a NOTIFY. `final`: nothing more will be told."""

    code: int
    final: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """`by`: us | them | trunk. `our_reason`: what hang_up was told. `code` 200 after an answered call."""

    by: str
    code: int
    phrase: str
    our_reason: str = ""
    q850: int | None = None
    retry_after_s: int | None = None
    answered: bool = False
    rang: bool = False


Event = StateChanged | MediaUp | KeyPressed | TransferTold | Ended

_STATES = {
    pj.PJSIP_INV_STATE_CALLING: CallState.CALLING,
    pj.PJSIP_INV_STATE_INCOMING: CallState.INCOMING,
    pj.PJSIP_INV_STATE_EARLY: CallState.EARLY,
    pj.PJSIP_INV_STATE_CONNECTING: CallState.CONNECTING,
    pj.PJSIP_INV_STATE_CONFIRMED: CallState.CONFIRMED,
    pj.PJSIP_INV_STATE_DISCONNECTED: CallState.ENDED,
}


class SipCall:
    """Made by `SipAccount.dial` or handed to its `on_incoming`."""

    def __init__(
        self, endpoint: SipEndpoint, account: SipAccount, leg: Leg, incoming_id: int | None = None
    ) -> None:
        self.leg = leg
        self.events: deque[Event] = deque()
        self.state = CallState.CALLING if incoming_id is None else CallState.INCOMING
        self.answered = False
        self.rang = False
        self.called = ""  # incoming: whom the caller wanted
        self.caller = ""  # incoming: who it says it is
        self.source = ""  # incoming: the IP address that sent it
        self.contact = ""  # incoming: the URI at which the caller can be rung back
        self.methods: frozenset[str] = frozenset()  # what the other side says it takes
        self._endpoint = endpoint
        self._our_reason = ""
        self._outgoing = incoming_id is None
        self._replied = not self._outgoing
        self._port: ConferencePort | None = None
        self._pj: _PjCall | None = (
            _PjCall(self, account.pj_account)
            if incoming_id is None
            else _PjCall(self, account.pj_account, incoming_id)
        )
        if incoming_id is not None:
            self._register()

    # ---- what the owner does ------------------------------------------------------------

    def make(self, uri: str, target: str = "", extra: Mapping[str, str] | None = None) -> None:
        """Send the INVITE. TrunkError when it cannot leave (no such host, no free slot)."""
        call = self._pj
        assert call is not None
        parameters = pj.CallOpParam(True)
        parameters.opt.videoCount = 0
        if target:
            parameters.txOption.targetUri = target
        self._add_headers(parameters, extra)
        try:
            call.makeCall(uri, parameters)
        except pj.Error as error:
            reason, full = error.reason, error.status == _TOO_MANY_CALLS
            call.thisown = False
            if self._pj is not None:  # else the callback has already ended it, inside makeCall
                self._endpoint.bury(call, slot_still_taken=False)
                self._pj = None
            if full:
                self._endpoint.note_full()
                raise NoSlot("all call slots of this line are taken") from None
            raise TrunkError(f"the call could not be placed: {reason}") from None
        if self._pj is not None:
            self._register()

    def answer(self, code: int = 200, reason: str = "", extra: Mapping[str, str] | None = None) -> None:
        """Reply to an incoming call: 180 ring, 183 early media, 200 pick up, 4xx-6xx refuse."""
        parameters = pj.CallOpParam(True)
        parameters.opt.videoCount = 0
        parameters.statusCode = code
        parameters.reason = reason
        self._add_headers(parameters, extra)
        if code >= 300:
            self._our_reason = self._our_reason or "refused"
        self._try(lambda call: call.answer(parameters))

    def hang_up(self, why: str, q850: int | None = None) -> None:
        """CANCEL, refuse or BYE, whichever fits; the first reason given is the one that counts."""
        if self._our_reason or self._pj is None:
            return
        self._our_reason = why
        parameters = pj.CallOpParam()
        if q850 is not None:
            self._add_headers(parameters, {"Reason": f"Q.850;cause={q850}"})
        self._try(lambda call: call.hangup(parameters))

    def send_keys(self, digits: str, method: str = "rfc2833") -> None:
        """Press keys towards the other side. `method`: rfc2833 (RFC 4733 events) or info (SIP INFO)."""
        parameters = pj.CallSendDtmfParam()
        parameters.digits = digits
        parameters.method = (
            pj.PJSUA_DTMF_METHOD_SIP_INFO if method == "info" else pj.PJSUA_DTMF_METHOD_RFC2833
        )
        self._try(lambda call: call.sendDtmf(parameters))

    def transfer(self, uri: str) -> None:
        """Ask the other side to call `uri` instead of us (REFER, RFC 3515).

        TransferTold says what came of it; the call with us stays up until somebody hangs up. Nobody is asked
        who does not say that he takes REFER: one that stays without a reply ends the call after 32 s
        (RFC 3261 12.2.1.2), whoever speaks in it by then.
        """
        if REFER not in self.methods:
            self.events.append(TransferTold(NOT_ALLOWED, final=True))
            return
        self._try(lambda call: call.xfer(uri, pj.CallOpParam(True)))

    def rtp_packets(self) -> int:
        """RTP packets received so far; one that stops growing means that the other side is gone."""
        if self._pj is None or self._port is None:
            return 0
        try:
            return int(self._pj.getStreamStat(0).rtcp.rxStat.pkt)
        except pj.Error:
            return 0

    @property
    def replied(self) -> bool:
        """The other side has sent anything at all, be it 100 Trying."""
        return self._replied

    @property
    def over(self) -> bool:
        return self.state is CallState.ENDED

    def rewire(self, leg: Leg) -> None:
        """From the next frame on, this leg hears and is heard; the former falls silent."""
        self.leg = leg
        if self._port is not None:
            self._port.leg = leg

    # ---- what the callbacks and the endpoint do ---------------------------------------------

    def disown(self) -> None:
        """Never let Python run the C++ destructor: it hangs up whoever has the slot by then."""
        if self._pj is not None:
            self._pj.thisown = False

    def _register(self) -> None:
        assert self._pj is not None
        self._endpoint.calls[id(self)] = self

    def _try(self, action: Callable[[Any], None]) -> None:
        """A call that ended a moment ago refuses everything; its Ended event says so already."""
        if self._pj is None:
            return
        try:
            action(self._pj)
        except pj.Error as error:
            _log.info("call.action_refused", reason=error.reason)

    @staticmethod
    def _add_headers(parameters: Any, extra: Mapping[str, str] | None) -> None:
        for name, value in (extra or {}).items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            parameters.txOption.headers.append(header)

    def _connect(self) -> None:
        call = self._pj
        if call is None:
            return
        info = call.getInfo()  # kept in a local: getInfo().media[0] would be freed memory
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                if self._port is None:
                    self._port = self._endpoint.lend_port(self.leg)
                audio = call.getAudioMedia(index)
                audio.startTransmit(self._port)
                self._port.startTransmit(audio)
                self.events.append(MediaUp(str(call.getStreamInfo(index).codecName)))
                return

    def _state_changed(self, state: CallState, code: int, phrase: str, message: str) -> None:
        self.state = state
        # Our own hang-up ends a call that nobody replied to, too: then no message came with the end.
        told = bool(message) if state is CallState.ENDED else state is not CallState.CALLING
        self._replied = self._replied or told
        self.rang = self.rang or (state is CallState.EARLY and code in (180, 183))
        self.answered = self.answered or state is CallState.CONFIRMED
        if state is not CallState.ENDED:
            self.events.append(StateChanged(state, code))
            return
        by = "us" if self._our_reason else "them"
        if by == "them" and self._outgoing and not self.answered and (500 <= code < 600 or not message):
            by = "trunk"  # without a message no reply reached us: the failure is ours or on the way
        self.events.append(
            Ended(
                by=by,
                code=code,
                phrase=phrase,
                our_reason=self._our_reason,
                q850=headers.q850(message),
                retry_after_s=headers.retry_after(message),
                answered=self.answered,
                rang=self.rang,
            )
        )
        self._retire()

    def _transaction_changed(self, status: int, message: str) -> None:
        self._replied = self._replied or status >= 100
        if 200 <= status < 300:
            self.methods = headers.methods(message) or self.methods

    def _retire(self) -> None:
        self._endpoint.calls.pop(id(self), None)
        if self._port is not None:
            self._endpoint.take_back(self._port)
            self._port = None
        if self._pj is not None:
            silent = not self._replied or self._our_reason == PEER_IS_GONE
            self._endpoint.bury(self._pj, slot_still_taken=silent)
            self._pj = None


class _PjCall(pj.Call):  # type: ignore[misc]
    """Posts what happens; an exception here would be swallowed by pjsip and pin objects, so none leaves."""

    def __init__(self, owner: SipCall, account: Any, call_id: int = -1) -> None:
        super().__init__(account, call_id)
        self.owner = owner

    def onCallState(self, parameters: Any) -> None:
        try:
            info = self.getInfo()
            state = _STATES.get(info.state)
            if state is None:
                return
            message = ""
            if state is CallState.ENDED:
                self.thisown = False
                event = parameters.e
                if (
                    event.type == pj.PJSIP_EVENT_TSX_STATE
                    and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG
                ):
                    message = str(event.body.tsxState.src.rdata.wholeMsg)
            self.owner._state_changed(state, int(info.lastStatusCode), str(info.lastReason), message)
        except Exception as error:
            _log.error("call.callback_failed", callback="state", kind=type(error).__name__)

    def onCallTsxState(self, parameters: Any) -> None:
        # 100 Trying changes no call state, but it says that the trunk is alive.
        try:
            change = parameters.e.body.tsxState
            if parameters.e.type == pj.PJSIP_EVENT_TSX_STATE and change.type == pj.PJSIP_EVENT_RX_MSG:
                self.owner._transaction_changed(int(change.tsx.statusCode), str(change.src.rdata.wholeMsg))
        except Exception as error:
            _log.error("call.callback_failed", callback="transaction", kind=type(error).__name__)

    def onCallMediaState(self, parameters: Any) -> None:
        try:
            self.owner._connect()
        except Exception as error:
            _log.error("call.callback_failed", callback="media", kind=type(error).__name__)

    def onDtmfDigit(self, parameters: Any) -> None:
        method = "info" if parameters.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "rfc2833"
        self.owner.events.append(KeyPressed(str(parameters.digit), method, time.monotonic()))

    def onCallTransferStatus(self, parameters: Any) -> None:
        final = bool(parameters.finalNotify)
        self.owner.events.append(TransferTold(int(parameters.statusCode), final))
        parameters.cont = not final

    def onCallSdpCreated(self, parameters: Any) -> None:
        try:
            sdp = str(parameters.sdp.wholeSdp)
            if parameters.remSdp.wholeSdp or f"rtpmap:{_OFFERED_DTMF} telephone-event" not in sdp:
                return  # an answer must keep the payload of the offer
            sdp = sdp.replace(f"rtpmap:{_OFFERED_DTMF} ", f"rtpmap:{_CUSTOMARY_DTMF} ")
            sdp = sdp.replace(f"fmtp:{_OFFERED_DTMF} ", f"fmtp:{_CUSTOMARY_DTMF} ")
            lines = [
                line.replace(f" {_OFFERED_DTMF}", f" {_CUSTOMARY_DTMF}")
                if line.startswith("m=audio")
                else line
                for line in sdp.split("\r\n")
            ]
            parameters.sdp.wholeSdp = "\r\n".join(lines)
        except Exception as error:
            _log.error("call.callback_failed", callback="sdp", kind=type(error).__name__)
