"""A telephone in a test's hand.

    elder = phone("13900000001")
    elder.expect_call().answer()
    elder.hears_prompt("本人").says("是我")
    elder.hears_prompt().presses("1")
    elder.expect_hangup()

Every method waits for what it names and raises AssertionError when it does not come; all that do
something return the phone. Voices speak what voices/index.yaml has (see render.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sip_test_harness import voices
from sip_test_harness.formats import DEFAULT_SPEED
from sip_test_harness.model import Attempt, Does, KeyMethod, Kind, Persona, VillageEvent
from sip_test_harness.orders import Order
from sip_test_harness.village import Village

CALL_WITHIN_S = 15.0
PROMPT_WITHIN_S = 30.0
HANGUP_WITHIN_S = 15.0
EVENT_WITHIN_S = 10.0


class Phone:
    """One number of a running village. `unexpected` counts calls nobody waited for."""

    def __init__(self, village: Village, number: str, voice: str = "zf_xiaoni") -> None:
        self.number = number
        self._village = village
        self._voice = voice
        self._seen = len(village.events())
        self._expected = 0
        village.add(
            Persona(
                id="test",
                number=number,
                name="test",
                sex="female",
                voice=voice,
                speed=DEFAULT_SPEED,
                story="held by a test",
                attempts=(Attempt(does=Does.MANUAL),),
            )
        )

    # ---- waiting ------------------------------------------------------------------------------

    def expect_call(self, within: float = CALL_WITHIN_S) -> Phone:
        self._wait(lambda event: event.kind is Kind.INCOMING, "no call came", within)
        self._expected += 1
        return self

    def hears_prompt(self, pattern: str | None = None, within: float = PROMPT_WITHIN_S) -> Phone:
        """The prompt whose text matches `pattern` has ended; without one: the caller has spoken and waits."""
        if pattern is None:
            self._wait(lambda event: event.kind is Kind.TURN, "no prompt was heard", within)
        else:
            wanted = re.compile(pattern)
            self._wait(
                lambda event: event.kind is Kind.HEARD and bool(wanted.search(event.text)),
                f"no prompt matching {pattern} was heard",
                within,
            )
        return self

    def hears_key(self, digit: str, within: float = EVENT_WITHIN_S) -> Phone:
        self._wait(
            lambda event: event.kind is Kind.KEY and event.text == digit, f"key {digit} did not come", within
        )
        return self

    def expect_hangup(self, within: float = HANGUP_WITHIN_S) -> Phone:
        """The caller ends the call (BYE, or CANCEL before the answer)."""
        event = self._wait(lambda event: event.kind is Kind.HUNG_UP, "the caller did not hang up", within)
        assert event.text == "them", "the call ended, but it was this side that hung up"
        return self

    def expect_media_lost(self, within: float = HANGUP_WITHIN_S) -> Phone:
        """The caller died: its RTP ended and the softphone freed the line."""
        self._wait(lambda event: event.kind is Kind.MEDIA_LOST, "the caller's media did not end", within)
        return self

    # ---- doing ----------------------------------------------------------------------------------

    def rings(self) -> Phone:
        return self._do("ring")

    def answer(self) -> Phone:
        """Pick up; returns when the caller has acknowledged."""
        self._do("answer")
        self._wait(lambda event: event.kind is Kind.ANSWERED, "the answer was not taken", EVENT_WITHIN_S)
        return self

    def dials(self, to: str, shown: bool = True) -> Phone:
        """Ring somebody: `to` is a SIP URI. Returns when he has picked up. `shown`: the number is told."""
        self._village.order(Order(self.number, "dial", to=to, shown=shown))
        self._wait(lambda event: event.kind is Kind.ANSWERED, "nobody picked up", CALL_WITHIN_S)
        return self

    def refuses(self, code: int = 486, q850: int | None = None) -> Phone:
        self._village.order(Order(self.number, "refuse", code=code, q850=q850))
        return self

    def says(self, *speech: str | int) -> Phone:
        """Texts and pauses in milliseconds; returns when the last sample has left."""
        voices.utterance(speech, self._voice)  # an unknown text is an error here and now
        self._village.order(Order(self.number, "say", speech=speech))
        self._wait(lambda event: event.kind is Kind.SAID, "the text was not spoken", 60.0)
        return self

    def presses(self, digits: str, by: KeyMethod = KeyMethod.RFC2833) -> Phone:
        """Returns when the last key has left."""
        self._village.order(Order(self.number, "press", digits=digits, by=by))
        self._wait(lambda event: event.kind is Kind.PRESSED, "the keys did not leave", EVENT_WITHIN_S)
        return self

    def hangs_up(self) -> Phone:
        self._do("hang_up")
        self._wait(lambda event: event.kind is Kind.HUNG_UP, "hanging up did not work", EVENT_WITHIN_S)
        return self

    # ---- looking back ---------------------------------------------------------------------------

    def heard(self) -> list[str]:
        """Texts of all prompts recognised so far."""
        return [event.text for event in self._mine(Kind.HEARD) if event.text]

    @property
    def unexpected(self) -> int:
        """Calls that rang here and were never expected."""
        return len(self._mine(Kind.INCOMING)) - self._expected

    def _mine(self, kind: Kind) -> list[VillageEvent]:
        return [e for e in self._village.events() if e.number == self.number and e.kind is kind]

    def _do(self, verb: str) -> Phone:
        self._village.order(Order(self.number, verb))
        return self

    def _wait(self, wanted: Callable[[VillageEvent], bool], failure: str, within: float) -> VillageEvent:
        found = self._village.wait_for(
            lambda event: event.number == self.number and wanted(event), self._seen, within
        )
        if found is None:
            since = [event.kind.value for event in self._village.events()[self._seen :]]
            raise AssertionError(f"{failure} within {within} s; since then the village saw {since}")
        self._seen = found[0] + 1
        return found[1]
