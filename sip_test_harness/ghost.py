"""A telephone whose line dies: answers, sends RTP for a while, then nothing more, not even a BYE.

pjsua2 cannot be made to stop its RTP in the middle of a call, so this one is written out: a handful of
SIP replies and a thread that sends G.711 A-law (RFC 3551 payload 8) every 20 ms.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sip_test_harness import audio, sip
from sip_test_harness.sip import Address, SipText

PCMA = 8
RESEND_200_S = 0.5  # T1: until the ACK comes
RESEND_TIMES = 6


def alaw(pcm: bytes) -> bytes:
    """16-bit PCM to A-law (ITU-T G.711): sign, 3-bit segment, 4-bit step; even bits inverted."""
    wide: NDArray[np.int32] = np.frombuffer(pcm, dtype="<i2").astype(np.int32) >> 3
    sign = np.where(wide >= 0, 0x80, 0)
    level = np.where(wide >= 0, wide, -wide - 1)
    segment = np.clip(np.floor(np.log2(np.maximum(level, 1))).astype(np.int32) - 4, 0, 7)
    step = np.where(segment == 0, level >> 1, level >> np.maximum(segment, 1)) & 0x0F
    packed: NDArray[np.int32] = (sign | (segment << 4) | step) ^ 0x55
    return packed.astype(np.uint8).tobytes()


class Ghost:
    """One such call. `send` puts a datagram on the exchange's SIP socket."""

    def __init__(
        self,
        invite: SipText,
        here: Address,
        source: Address,
        rtp_port: int,
        pcm: bytes,
        ring_s: float,
        talk_s: float,
        send: Callable[[bytes, Address], None],
        on_answer: Callable[[], None],
        on_bye: Callable[[], None],
    ) -> None:
        self._invite, self._here, self._source, self._send = invite, here, source, send
        self._on_answer, self._on_bye = on_answer, on_bye
        self._rtp_port, self._pcm, self._talk_s = rtp_port, pcm, talk_s
        self._ring_s = ring_s
        self._acknowledged = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="ghost", daemon=True)
        self._thread.start()

    def request(self, message: SipText, source: Address) -> None:
        """Whatever comes later in this call."""
        method = message.method
        if method == "ACK":
            self._acknowledged.set()
        elif method in ("BYE", "CANCEL"):
            self._send(sip.reply(message, 200, "OK").encode(), source)
            if method == "CANCEL" and not self._acknowledged.is_set():
                self._send(sip.reply(self._invite, 487, "Request Terminated").encode(), self._source)
            if not self._over.is_set():
                self._over.set()
                self._on_bye()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(timeout=2)

    def _live(self) -> None:
        contact = (("Contact", f"<sip:ghost@{self._here[0]}:{self._here[1]}>"),)
        self._send(sip.reply(self._invite, 180, "Ringing", extra=contact).encode(), self._source)
        if self._over.wait(self._ring_s):
            return
        body = "\r\n".join(
            (
                "v=0",
                f"o=ghost 1 1 IN IP4 {self._here[0]}",
                "s=-",
                f"c=IN IP4 {self._here[0]}",
                "t=0 0",
                f"m=audio {self._rtp_port} RTP/AVP {PCMA}",
                f"a=rtpmap:{PCMA} PCMA/8000",
                "a=ptime:20",
                "",
            )
        )
        extra = (*contact, ("Content-Type", "application/sdp"))
        answer = sip.reply(self._invite, 200, "OK", extra=extra, body=body).encode()
        for _ in range(RESEND_TIMES):
            self._send(answer, self._source)
            if self._acknowledged.wait(RESEND_200_S):
                break
        else:
            return
        self._on_answer()
        self._speak()

    def _speak(self) -> None:
        host = re.search(r"^c=IN IP4 (\S+)", self._invite.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", self._invite.body, re.MULTILINE)
        if not host or not port:
            return
        to = (host.group(1), int(port.group(1)))
        frames = int(self._talk_s * 50)
        data = alaw(self._pcm.ljust(frames * audio.FRAME_BYTES, b"\0"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
            rtp.bind((self._here[0], self._rtp_port))
            start = time.monotonic()
            for at in range(frames):
                head = struct.pack("!BBHII", 0x80, PCMA, at, at * 160, 0x60057)
                rtp.sendto(head + data[at * 160 : at * 160 + 160], to)
                if self._over.wait(max(0.0, start + (at + 1) * 0.02 - time.monotonic())):
                    return
