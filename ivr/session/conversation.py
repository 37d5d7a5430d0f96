"""An answered call as a conversation (对话): the dialogue's steps done with voice and ear.

    begin ─► Listen(opening) ─► hear ─► Step ─► Say ... Listen ─► hear ─► ... ─► End

While a prompt plays the ear is open for danger and requests (barge-in); what was over
before the prompt was, goes to the dialogue as `during_prompt`, and a Step without actions
lets the prompt go on. A partial recognition that already holds a dangerous word silences
the prompt at once; what it means is judged when the utterance is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ivr.dialogue import interpreter
from ivr.dialogue.dialplan import Dialplan, phrases
from ivr.dialogue.hearing import as_heard
from ivr.dialogue.model import (
    Because,
    Callee,
    Chose,
    DutyAnswered,
    DutyFailed,
    DutyNext,
    End,
    Heard,
    Keys,
    Listen,
    Noise,
    RaiseAlert,
    Remember,
    RingDuty,
    Say,
    Silence,
    Speech,
    State,
    Step,
    StoreAnswer,
)
from ivr.dialogue.turn import OPENING, UNKNOWN, WHO
from ivr.session.hearing import Hearing, Nothing, Utterance
from ivr.session.speaking import Speaking
from ivr.session.teller import Teller, span_of
from ivr.telephony.leg import Leg
from ivr.understanding.model import Question, Understanding
from xunfang.vocabulary import Alert, Speaker

NOT_UNDERSTOOD = "（没听清）"  # how the transcript shows it
FREE_ANSWER_S = 20.0  # longest utterance outside a question

Understand = Callable[[str, Question], Understanding]


@dataclass(frozen=True, slots=True)
class Voice:
    """The audio side of one call, as the conversation uses it."""

    leg: Leg
    speaking: Speaking
    hearing: Hearing


class Conversation:
    """`ring_duty` is called when the dialogue wants a human on the line. `end`: what it came to."""

    def __init__(
        self,
        plan: Dialplan,
        callee: Callee,
        voice: Voice,
        teller: Teller,
        understand: Understand,
        ring_duty: Callable[[], None],
        who_phrases: tuple[str, ...] = (),
    ) -> None:
        self.end: End | None = None
        self.choice: int | None = None  # who of a shared telephone is calling: another call goes on from here
        self.urgent = False  # a human is being rung: no timer of ours may end this call
        self.speech_heard = False
        self._plan = plan
        self._callee = callee
        self._voice = voice
        self._teller = teller
        self._understand = understand
        self._ring_duty = ring_duty
        self._who_phrases = who_phrases
        self._state = State(callee=callee)
        self._begun = False
        self._question = OPENING
        self._next_listen: Listen | None = None
        self._next_end: End | None = None
        self._next_choice: int | None = None
        self._listening = False  # the prompt is over and the ear counts silence
        self._judged_partial = ""
        self._doubtful_span = (0.0, 0.0)  # of the latest utterance that may need a human

    # ---- what the call tells us ---------------------------------------------------------

    def begin(self) -> None:
        """Somebody, or something, answered."""
        self._begun = True
        self._voice.hearing.forget()
        step = interpreter.start(self._plan, self._callee)
        self._state = step.state
        self._do(step, None)

    def step(self) -> None:
        """Take in what was heard and said since the last step."""
        voice = self._voice
        said = voice.speaking.step()
        if said is not None:
            self._teller.said(said)
        for event in voice.hearing.step(during_prompt=voice.speaking.active):
            if isinstance(event, Nothing):
                self._hear(Noise(event.tone) if event.tone else Silence(), None, event.declared_at)
            else:
                self._utterance(event)
        self._watch_partial()
        if not voice.speaking.active and not self._listening and not voice.hearing.busy:
            self._after_prompt()

    def key(self, digit: str) -> None:
        self.speech_heard = True
        self._hear(Keys(digit, during_prompt=self._voice.speaking.active), None, None)

    def duty(self, heard: DutyAnswered | DutyNext | DutyFailed) -> None:
        if isinstance(heard, DutyAnswered):
            self.urgent = True  # no timer of ours ends what people say to one another
        self._hear(heard, None, None)

    # ---- the end --------------------------------------------------------------------------

    def last_words(self) -> bool:
        """After the line is cut: what was still being recognised counts. False when nothing is left."""
        for event in self._voice.hearing.step(during_prompt=self._voice.speaking.active):
            if isinstance(event, Utterance) and event.text:
                step = self._tell_step(Speech(event.text, event.confidence), event)
                # A carrier's voice that hangs up by itself, an opt-out confirmed with the last breath.
                self.end = next((each for each in step.actions if isinstance(each, End)), self.end)
        return self._voice.hearing.busy

    def cut(self) -> None:
        """The line is gone: stop speaking, keep what was half heard."""
        during_prompt = self._voice.speaking.active
        said = self._voice.speaking.stop()
        if said is not None:
            self._teller.said(said)
        self._voice.hearing.cut_off(during_prompt)

    def outcome(self) -> Because:
        """Why it ended, when it was not the dialogue that ended it."""
        return interpreter.hung_up(self._plan, self._state) if self._begun else Because.HUNG_UP

    def raise_what_is_open(self) -> None:
        """Alerts that waited for a confirming question which will not come any more."""
        for raised in interpreter.left_open(self._state):
            self._teller.alert(raised, self._doubtful_span, self._voice.leg.seconds, self._state.relative)

    # ---- hearing --------------------------------------------------------------------------

    def _utterance(self, heard: Utterance) -> None:
        said = as_heard(
            heard.text,
            heard.confidence,
            words=heard.words_heard,
            tone=heard.tone,
            during_prompt=heard.during_prompt,
        )
        if isinstance(said, Silence):
            if heard.during_prompt:
                self._go_on()  # a cough
            else:
                self._hear(said, None, heard.declared_at)
            return
        self.speech_heard = self.speech_heard or isinstance(said, Speech)
        self._hear(said, heard, heard.declared_at)

    def _hear(self, heard: Heard, utterance: Utterance | None, declared_at: float | None) -> None:
        if self.end is not None or self.choice is not None:
            return
        step = self._tell_step(heard, utterance)
        self._do(step, declared_at)

    def _tell_step(self, heard: Heard, utterance: Utterance | None) -> Step:
        """Ask the dialogue; tell the transcript, then answers and alerts, before anything is played."""
        question = self._question
        step = interpreter.hear(self._plan, self._state, heard, self._understand)
        self._state = step.state
        now_s = self._voice.leg.seconds
        span = span_of(utterance, now_s)
        if step.understood is not None and step.understood.alert is not Alert.NONE:
            self._doubtful_span = span
        if isinstance(heard, Speech):
            text = NOT_UNDERSTOOD if heard.text == UNKNOWN else heard.text
            self._teller.heard(text, question, step.speaker, span, heard.confidence, step.understood)
        elif isinstance(heard, Keys):
            self._teller.heard(f"按键{heard.digits}", question, step.speaker, span, None, step.understood)
        elif isinstance(heard, Noise):
            self._teller.heard(f"（{heard.tone}）", question, Speaker.MACHINE, span, None, None)
        for action in step.actions:
            if isinstance(action, StoreAnswer):
                self._teller.answer(action)
            elif isinstance(action, RaiseAlert):
                self.urgent = self.urgent or action.understanding.alert is Alert.URGENT
                self._teller.alert(action, span, self._voice.leg.seconds, step.speaker is Speaker.RELATIVE)
            elif isinstance(action, Remember):
                self._teller.remembered(action.what)
        return step

    def _watch_partial(self) -> None:
        """Danger said into our prompt: be silent at once, judge when it has been said."""
        speaking = self._voice.speaking
        if not speaking.active or speaking.hushed:
            return
        partial = self._voice.hearing.partial
        if not partial or partial == self._judged_partial:
            return
        self._judged_partial = partial
        if self._understand(partial, Question.ANY).alert is Alert.URGENT:
            speaking.hush()

    # ---- doing ----------------------------------------------------------------------------

    def _do(self, step: Step, declared_at: float | None) -> None:
        moves = [action for action in step.actions if isinstance(action, Say | Listen | End)]
        if any(isinstance(action, RingDuty) for action in step.actions):
            self._ring_duty()
        if not moves:
            self._go_on()
            return
        said = self._voice.speaking.stop()
        if said is not None:
            self._teller.said(said)
        self._next_listen = self._next_end = None
        self._next_choice = next((each.number for each in step.actions if isinstance(each, Chose)), None)
        self._listening = False
        for action in moves:
            if isinstance(action, Listen):
                self._next_listen = action
                self._question = action.question
            elif isinstance(action, End):
                self._next_end = action
        for action in moves:
            if isinstance(action, Say):
                self._voice.speaking.say(action.texts, self._teller.next_seq(), self._question, declared_at)
        if self._voice.speaking.active:
            self._open_ear(None, barge_in=True)
        else:
            self._after_prompt()

    def _go_on(self) -> None:
        """As we were: the prompt plays on, or the same question is still open."""
        self._voice.speaking.resume()
        if self._voice.speaking.active:
            self._open_ear(None, barge_in=True)
        else:
            self._listening = False
            self._after_prompt()

    def _after_prompt(self) -> None:
        if self._next_end is not None:
            self.end = self._next_end
        elif self._next_choice is not None:
            self.choice = self._next_choice
        elif self._next_listen is not None:
            self._open_ear(self._next_listen.seconds, barge_in=False)
        else:
            self._open_ear(None, barge_in=False)  # the duty person speaks; danger is still heard
        self._listening = True

    def _open_ear(self, seconds: float | None, *, barge_in: bool) -> None:
        listen = self._next_listen
        topic = listen.topic if listen else Question.ANY
        longest = listen.max_answer_seconds if listen else FREE_ANSWER_S
        listened_for = phrases(self._plan, topic)
        if self._question == WHO:
            listened_for += self._who_phrases
        self._voice.hearing.listen(listened_for, seconds, longest, barge_in=barge_in)
