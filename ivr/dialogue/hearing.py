"""What a turn means at its stage: speech by understanding, keys by the dialplan."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue.asking import ask_at
from ivr.dialogue.belief import believed
from ivr.dialogue.grammar import phrases
from ivr.dialogue.mending import nearest
from ivr.dialogue.model import Heard, Keys, Noise, Silence, Speech, State
from ivr.dialogue.plan import CONFIRM_WORD, EVENT_OF, URGENT_KEY, Ask, Dialplan
from ivr.dialogue.turn import CONFIRM, OPENING, RELATIVE, UNKNOWN, WHO, Turn, Understand
from ivr.understanding.model import Judgement, Polarity, Question, Subject, Time, Understanding
from xunfang.errors import BadInput
from xunfang.vocabulary import Alert

UNDECIDED = frozenset({"unclear", "other"})


def as_heard(
    text: str, confidence: float | None, *, words: bool, tone: str | None = None, during_prompt: bool = False
) -> Speech | Noise | Silence:
    """What a finished utterance is for the dialogue. `words`: somebody spoke, understood or not; without
    them it was a cough. `tone`: what made the sound when it was no voice (ivr.speech.tones)."""
    if tone and not text:
        return Noise(tone)
    if text or words:
        return Speech(text or UNKNOWN, confidence, during_prompt)
    return Silence()


def stage_of(plan: Dialplan, topic: Question) -> str:
    """Where the conversation stands when it asks about this topic, for `meaning`. Raises BadInput."""
    if topic is Question.ANY:
        return OPENING
    for ask in (plan.identity, *plan.questions):
        if ask.topic is topic:
            return ask.id
    known = dict.fromkeys(str(ask.topic) for ask in (plan.identity, *plan.questions))
    raise BadInput(
        f"dialplan {plan.name} asks nothing about {topic}: it asks about {', '.join(known)}; "
        "take another question or another --dialplan"
    )


def meaning(plan: Dialplan, at: str, heard: Heard, understand: Understand) -> Understanding | None:
    """What a call takes this for at its stage `at`, and how far it believes it: judged by its words, read
    by its sound when they are no phrase (mending), doubted when hardly heard (belief). None: nothing said."""
    return judged(Turn(plan, State(at=at), heard, understand)).understood


def judged(turn: Turn) -> Turn:
    if isinstance(turn.heard, Speech):
        understood: Understanding | None = _as_meant(turn)
    elif isinstance(turn.heard, Keys):
        understood = _pressed(turn, turn.heard.digits)
    else:
        understood = None
    return replace(turn, understood=_reviewed(turn, understood))


def _as_meant(turn: Turn) -> Understanding:
    """As heard; or as it was probably said, when what was heard is no phrase that we listen for."""
    heard = _literally(turn, turn.text)
    if turn.confidence is None or heard.announcement:
        return heard
    guess = nearest(turn.bare, phrases(turn.plan, topic_at(turn.plan, turn.state.at)))
    if guess is None:
        return believed(heard, turn.confidence)
    if heard.alert is Alert.URGENT:
        return heard  # nearly a phrase: 来人 for 来人啊
    meant = _literally(turn, guess.phrase)
    meant = replace(meant, reasons=(*meant.reasons, f"heard as {turn.bare}"))
    if meant.alert is Alert.URGENT:
        return meant
    heard = believed(heard, turn.confidence)
    if heard.alert is not Alert.NONE:
        return heard
    meant = believed(meant, turn.confidence * guess.likeness)
    return meant if heard.answer in UNDECIDED or meant.alert is not Alert.NONE else heard


def _literally(turn: Turn, text: str) -> Understanding:
    said = replace(turn, heard=Speech(text, turn.confidence, turn.early))
    return _in_its_words(said, turn.understand(text, topic_at(turn.plan, turn.state.at)))


def topic_at(plan: Dialplan, at: str) -> Question:
    """The question in whose light an utterance is read."""
    if at == CONFIRM:
        return Question.EVENT
    if at in (RELATIVE, WHO):
        return Question.IDENTITY  # the elder may have come to the telephone
    ask = ask_at(plan, at)
    return ask.topic if ask else Question.ANY


def _in_its_words(turn: Turn, understood: Understanding) -> Understanding:
    """Words that mean something only here: what the greeting offered, and the question's own (`means`)."""
    if understood.alert is not Alert.NONE or understood.answer not in UNDECIDED:
        return understood
    if turn.says(turn.plan.opt_out.advertised):
        return replace(
            understood, answer="opt_out", alert=Alert.REVIEW, reasons=("said as the greeting offered",)
        )
    ask = ask_at(turn.plan, turn.state.at)
    if ask is None:
        return understood
    lists = (ask.concrete_means, ask.means) if turn.state.concretely else (ask.means,)
    for means in lists:
        for answer, words in means.items():
            if turn.says_only(words):
                if answer == CONFIRM_WORD:
                    return _open(ask, turn.text)
                return replace(
                    understood, answer=answer, reasons=(*understood.reasons, "by the question's words")
                )
    return understood


def _pressed(turn: Turn, digits: str) -> Understanding | None:
    """The first key that the question knows. Keys work whenever a question is open, offered or not."""
    ask = ask_at(turn.plan, turn.state.at)
    key = next((digit for digit in digits if ask and digit in ask.keys), None)
    if ask is None or key is None:
        return None
    text = f"按键{key}"
    if ask.keys[key] == URGENT_KEY:
        return _urgent(ask, text, "keypad")
    return Understanding(text, ask.topic, Alert.NONE, ask.keys[key], reasons=("keypad",))


def _open(ask: Ask, text: str) -> Understanding:
    """有 to 有没有煤气味？: too little to alarm (没有 may have lost its 没), too grave to pass over."""
    main = Judgement(
        EVENT_OF[ask.topic], Polarity.UNCERTAIN, Time.NOW, Subject.SELF, 0, len(text), text, f"{ask.id}.means"
    )
    reasons = ("by the question's words",)
    return Understanding(text, ask.topic, Alert.REVIEW, "unclear", (main,), main, reasons=reasons)


def _urgent(ask: Ask, text: str, reason: str) -> Understanding:
    answer = ask.review_on[0] if ask.review_on else "unclear"
    return Understanding(
        text, ask.topic, Alert.URGENT, answer, plea=True, reasons=(reason,), evidence=(text,)
    )


def _reviewed(turn: Turn, understood: Understanding | None) -> Understanding | None:
    """Answers that the dialplan wants a human to see, whatever the words were."""
    ask: Ask | None = ask_at(turn.plan, turn.state.at)
    if understood is None or ask is None or understood.alert is not Alert.NONE:
        return understood
    if understood.answer not in ask.review_on:
        return understood
    reasons = (*understood.reasons, f"{ask.id}: {understood.answer}")
    return replace(understood, alert=Alert.REVIEW, reasons=reasons)
