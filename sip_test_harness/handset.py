"""One incoming call at a softphone, from the first ring to the end.

    INVITE ─► 180 ─ ring_s ─► refuse
                      │  └──► 183 + announcement ─► refuse
                      └─────► 200 ─► announcement, beep or conversation ─► BYE

Driven by `step`, called after every poll of the endpoint; never blocks. A call whose caller has died
(no RTP for three seconds) is hung up, so that a crash on the other side costs no line.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

import numpy as np

from ivr.telephony.call import CallState, Ended, KeyPressed, MediaUp, SipCall, StateChanged
from ivr.telephony.leg import Finished, Leg
from sip_test_harness import audio, voices
from sip_test_harness.ears import Bank, Began, Ears, Paused
from sip_test_harness.model import Attempt, Does, KeyMethod, Kind, Message, Persona, Reply, Speech, Via
from sip_test_harness.script import Script

CALLER_DEAD_S = 3.0
COUNT_RTP_EVERY_S = 0.5
AFTER_ANNOUNCEMENT_S = 0.4  # the carrier's pause before it ends the call
VOICEMAIL_S = 20.0  # a machine records so long
KEY_S = 0.3  # an RFC 4733 event of pjsip and the pause after it
TURN_AFTER_MS = 700  # a test that only wants "a prompt" is told after this much quiet
SPEECH_RMS = 3000.0  # level that noise_db refers to: a recording of voices/ at normal loudness

REFUSALS = {Does.BUSY: 486, Does.REJECT: 603, Does.TRUNK_503: 503}
NO_ROUTE = {Message.INVALID: 404, Message.IN_CALL: 486}

Report = Callable[[Kind, str, int | None], None]


class VillageLeg(Leg):
    """A leg with a bad line: background noise under everything we send, and frames that get lost."""

    def __init__(self) -> None:
        self.heard: SimpleQueue[bytes] = SimpleQueue()
        super().__init__(on_frame=lambda _offset, frame: self.heard.put(frame))
        self._noise: audio.Samples | None = None
        self._noise_at = 0
        self._loss = 0.0
        self._dice = random.Random(0)

    def spoil(self, noise_db: float | None, loss_percent: float, seed: str) -> None:
        self._loss = loss_percent / 100
        self._dice.seed(seed)
        if noise_db is not None:
            self._noise = audio.room_noise() * np.float32(SPEECH_RMS / 10 ** (noise_db / 20))

    def next_frame(self) -> bytes:
        frame = super().next_frame()
        if self._noise is not None:
            start = self._noise_at
            self._noise_at = (start + audio.FRAME_SAMPLES) % len(self._noise)
            frame = audio.pcm(audio.samples(frame) + self._noise[start : start + audio.FRAME_SAMPLES])
        if self._loss and self._dice.random() < self._loss:
            return bytes(audio.FRAME_BYTES)
        return frame


class Handset:
    """`report(kind, text, code)` is called as things happen. `dialled`: the elder rings, and is not rung."""

    def __init__(
        self,
        call: SipCall,
        persona: Persona,
        nth: int,
        bank: Bank,
        report: Report,
        now: float,
        dialled: bool = False,
    ) -> None:
        self.call = call
        self.dialled = dialled
        self.persona = persona
        self.nth = nth
        self._attempt: Attempt = persona.attempt(nth)
        self._report = report
        self._script = Script(self._attempt)
        self._ears = Ears(bank)
        self._ring_until = now + self._attempt.ring_s
        self._decided = False
        self._answered_at: float | None = None
        self._opened = False
        self._end_at: float | None = None
        self._end_code: int | None = None
        self._hang_up_after: set[int] = set()
        self._announcing: int | None = None
        self._clips: dict[int, str] = {}
        self._packets = 0
        self._packets_at = now
        self._count_at = now
        self._told_turn = True
        self._newest = ""
        self._media = False
        self.caller_died = False
        self._pressed: list[tuple[float, str]] = []  # (when they will have left, digits)
        assert isinstance(call.leg, VillageLeg)
        self._leg: VillageLeg = call.leg
        self._leg.spoil(self._attempt.noise_db, self._attempt.loss_percent, f"{persona.id}{nth}")
        if dialled:
            self._decided = True
        else:
            self._first_reply(now)

    # ---- what a test's hand may do ------------------------------------------------------------

    def ring(self) -> None:
        self.call.answer(180)

    def answer(self) -> None:
        self.call.answer(200)

    def refuse(self, code: int, q850: int | None = None) -> None:
        extra = {"Reason": f"Q.850;cause={q850}"} if q850 is not None else None
        self._report(Kind.REFUSED, "", code)
        self.call.answer(code, extra=extra)

    def say(self, speech: Speech, then_hang_up: bool = False) -> None:
        self._told_turn = True  # the turn is being taken
        clip = self._leg.play(voices.utterance(speech, self.persona.voice, self.persona.speed))
        self._clips[clip] = "".join(part for part in speech if isinstance(part, str))
        if then_hang_up:
            self._hang_up_after.add(clip)

    def press(self, digits: str, by: KeyMethod) -> None:
        self.call.send_keys(digits, by.value)
        self._pressed.append((time.monotonic() + KEY_S * len(digits), digits))

    def hang_up(self) -> None:
        self.call.hang_up("elder")

    def rings_back_at(self, now: float) -> float | None:
        """When the elder rings whoever this missed call came from; None: he does not."""
        after = self._attempt.calls_back_s
        missed = not self.dialled and self._answered_at is None and self.call.contact
        return now + after if after is not None and missed else None

    # ---- what happens ---------------------------------------------------------------------------

    def step(self, now: float) -> bool:
        """False once the call is over and reported."""
        if self._take_events(now):
            return False
        self._listen(now)
        self._notice_what_left(now)
        if not self._decided and now >= self._ring_until:
            self._decide()
        if self._answered_at is not None:
            self._talk(now, self._answered_at)
            self._watch_the_caller(now)
        if self._end_at is not None and now >= self._end_at:
            self._end_at = None
            if self._end_code is not None:
                self.refuse(self._end_code, self._attempt.q850)
            else:
                self.hang_up()
        return True

    def _first_reply(self, now: float) -> None:
        does = self._attempt.does
        if does is Does.MANUAL:
            self._decided = True
        elif does is Does.ANNOUNCEMENT and self._attempt.via is Via.EARLY:
            self._decided = True
            self.call.answer(183)
        elif does is Does.NO_ANSWER:
            self._decided = True
            self.call.answer(180)
        elif self._attempt.ring_s > 0:
            self.call.answer(180)

    def _decide(self) -> None:
        self._decided = True
        does = self._attempt.does
        if does in REFUSALS:
            self.refuse(self._attempt.code or REFUSALS[does], self._attempt.q850)
        else:
            self.call.answer(200)

    def _take_events(self, now: float) -> bool:
        while self.call.events:
            event = self.call.events.popleft()
            if isinstance(event, StateChanged) and event.state is CallState.CONFIRMED:
                self._answered_at = self._packets_at = now
                self._report(Kind.ANSWERED, "", None)
                if self._attempt.hang_up_after_s is not None:
                    self._end_at = now + self._attempt.hang_up_after_s
                elif self._attempt.does is Does.VOICEMAIL:
                    self._end_at = now + VOICEMAIL_S
                self._announce_behind_the_answer()
            elif isinstance(event, MediaUp):
                if not self._media and self._attempt.via is Via.EARLY:
                    self._announce_early()
                self._media = True
            elif isinstance(event, KeyPressed):
                self._report(Kind.KEY, event.digit, None)
            elif isinstance(event, Ended):
                if event.our_reason != "refused":
                    self._report(Kind.HUNG_UP, "us" if event.by == "us" else "them", event.code)
                return True
        return False

    def _announce_early(self) -> None:
        if self._attempt.does is Does.ANNOUNCEMENT:
            assert self._attempt.message is not None
            self._end_code = self._attempt.code or NO_ROUTE.get(self._attempt.message, 480)
            self._announcing = self._leg.play(voices.announcement_pcm(self._attempt))

    def _announce_behind_the_answer(self) -> None:
        if self._attempt.does is Does.VOICEMAIL:
            self._leg.play(audio.silence(0.5) + voices.announcement_pcm(self._attempt))
        elif self._attempt.does is Does.ANNOUNCEMENT and self._attempt.via is Via.ANSWER:
            self._announcing = self._leg.play(voices.announcement_pcm(self._attempt))

    def _listen(self, now: float) -> None:
        for frame in _drained(self._leg.heard):
            change = self._ears.hear(frame)
            if isinstance(change, Began):
                self._script.began(int(now * 1000))
            elif isinstance(change, Paused):
                self._script.paused(change.text)
                self._newest, self._told_turn = change.text or "", False
                self._report(Kind.HEARD, self._newest, None)

    def _notice_what_left(self, now: float) -> None:
        while self._pressed and now >= self._pressed[0][0]:
            self._report(Kind.PRESSED, self._pressed.pop(0)[1], None)
        while not self._leg.notices.empty():
            notice = self._leg.notices.get()
            if not isinstance(notice, Finished):
                continue
            if notice.clip == self._announcing:
                self._end_at = now + AFTER_ANNOUNCEMENT_S
            elif notice.clip in self._clips:
                self._report(Kind.SAID, self._clips.pop(notice.clip), None)
            if notice.clip in self._hang_up_after:
                self.hang_up()

    def _talk(self, now: float, answered_at: float) -> None:
        does = self._attempt.does
        if does is Does.MANUAL:
            if not self._told_turn and self._ears.quiet_ms >= TURN_AFTER_MS:
                self._told_turn = True
                self._report(Kind.TURN, self._newest, None)
            return
        if does not in (Does.ANSWER, Does.EARLY_HANGUP) or not self._media:
            return
        if not self._opened and now - answered_at >= self._attempt.opening_ms / 1000:
            self._opened = True
            if self._attempt.opening:
                self.say(self._attempt.opening)
        if self._opened:
            reply = self._script.due(int(now * 1000), self._ears.quiet_ms, self._leg.playing)
            if reply is not None:
                self._do(reply)

    def _do(self, reply: Reply) -> None:
        if reply.press:
            self.press(reply.press, reply.by)
        if reply.say:
            self.say(reply.say, then_hang_up=reply.hang_up)
        elif reply.hang_up:
            self.hang_up()

    def _watch_the_caller(self, now: float) -> None:
        if now < self._count_at:
            return
        self._count_at = now + COUNT_RTP_EVERY_S
        packets = self.call.rtp_packets()
        if packets != self._packets:
            self._packets, self._packets_at = packets, now
        elif now - self._packets_at > CALLER_DEAD_S:
            self._packets_at = now + 3600  # once is enough
            self._report(Kind.MEDIA_LOST, "", None)
            self.caller_died = True
            self.call.hang_up("media lost")


def _drained(queue: SimpleQueue[bytes]) -> list[bytes]:
    frames = []
    while True:
        try:
            frames.append(queue.get_nowait())
        except Empty:
            return frames
