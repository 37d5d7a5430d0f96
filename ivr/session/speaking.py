"""What we say (说): prompts queued on a leg, and which of them were really heard.

A Say is several texts in a row. It ends when the last one has been played, or when it is
stopped; the transcript then holds the texts that had begun. `hush` is a stop that can be
taken back: somebody said a dangerous word into our prompt, and it is not yet clear what
they mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ivr.telephony.leg import Finished, Leg, Started
from ivr.telephony.model import RATE


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of ours. Seconds of the recording."""

    seq: int
    question: str
    text: str
    start_s: float
    end_s: float


@dataclass(slots=True)
class _Clip:
    text: str
    pcm: bytes
    number: int
    start: int | None = None
    end: int | None = None


class Speaking:
    """`pcm_of(text)` gives the recording of a text (NotFound when there is none)."""

    def __init__(self, leg: Leg, pcm_of: Callable[[str], bytes]) -> None:
        self._leg = leg
        self._pcm_of = pcm_of
        self._clips: list[_Clip] = []
        self._seq = 0
        self._question = ""
        self._declared_at: float | None = None
        self.hushed = False
        self.audience: Leg | None = None  # a third party (the duty person) who hears what the elder is told
        self.reply_ms: list[float] = []  # endpoint declared -> first frame of the reply, per turn

    @property
    def active(self) -> bool:
        """Something is still to be said, be it hushed for the moment."""
        return bool(self._clips)

    def say(self, texts: tuple[str, ...], seq: int, question: str, declared_at: float | None) -> None:
        """Begin; whatever was being said must have been stopped. `declared_at`: see reply_ms."""
        recordings = [(text, self._pcm_of(text)) for text in texts]
        self._seq, self._question, self._declared_at = seq, question, declared_at
        self.hushed = False
        self._clips = [_Clip(text, pcm, self._leg.play(pcm)) for text, pcm in recordings]
        if self.audience is not None:
            for _text, pcm in recordings:
                self.audience.play(pcm)

    def stop(self) -> Said | None:
        """Fall silent; what had been said until then."""
        self._leg.stop()
        self._read_notices()
        return self._close()

    def hush(self) -> None:
        self._leg.stop()
        self.hushed = True

    def resume(self) -> None:
        """It was nothing: say the interrupted text again, and the rest."""
        if not self.hushed:
            return
        self._read_notices()
        self.hushed = False
        for clip in self._clips:
            if clip.end is None:
                clip.number = self._leg.play(clip.pcm)

    def step(self) -> Said | None:
        """The turn, once the last text has been played."""
        self._read_notices()
        if self._clips and all(clip.end is not None for clip in self._clips):
            return self._close()
        return None

    def _read_notices(self) -> None:
        while not self._leg.notices.empty():
            notice = self._leg.notices.get()
            clip = next((clip for clip in self._clips if clip.number == notice.clip), None)
            if isinstance(notice, Started) and self._declared_at is not None and clip is not None:
                self.reply_ms.append(round((notice.at - self._declared_at) * 1000, 1))
                self._declared_at = None
            if clip is None:
                continue
            if isinstance(notice, Finished):
                clip.end = notice.sample
            elif clip.start is None:
                clip.start = notice.sample

    def _close(self) -> Said | None:
        begun = [clip for clip in self._clips if clip.start is not None]
        self._clips, self.hushed = [], False
        if not begun:
            return None
        last = begun[-1]
        return Said(
            seq=self._seq,
            question=self._question,
            text="".join(clip.text for clip in begun),
            start_s=(begun[0].start or 0) / RATE,
            end_s=(self._leg.position if last.end is None else last.end) / RATE,
        )
