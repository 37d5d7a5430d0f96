"""The conference port that carries a Leg. Made once, lent to one call after another.

Ports live as long as the endpoint: freeing one after libDestroy, or on a thread that pjsip
does not know, aborts the process, so nobody outside this room ever holds one. Callbacks run
on pjsip's clock thread, `onFrameRequested` then `onFrameReceived` on every 20 ms tick.
"""

from __future__ import annotations

from typing import Any

import pjsua2 as pj

from ivr.telephony.audio import from_vector
from ivr.telephony.leg import Leg
from ivr.telephony.model import RATE, SILENCE

_SILENCE = pj.ByteVector(SILENCE)


class ConferencePort(pj.AudioMediaPort):  # type: ignore[misc]
    """`leg` None: idle. The bridge keeps ticking idle ports with frames of type NONE."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.leg: Leg | None = None
        media_format = pj.MediaFormatAudio()
        media_format.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 20000, 16)
        self.createPort(name, media_format)

    def onFrameRequested(self, frame: Any) -> None:
        leg = self.leg
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        if leg is None:
            frame.buf = _SILENCE
            return
        chunk = leg.next_frame()
        frame.buf = _SILENCE if chunk is SILENCE else pj.ByteVector(chunk)

    def onFrameReceived(self, frame: Any) -> None:
        leg = self.leg
        if leg is not None:
            # The frame is gone when this returns: its bytes are copied here.
            leg.received(from_vector(frame.buf) if frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO else None)
