"""Checks of a dialplan (话术检查) beyond its schema: run by `xunfang dialplan check`.

The exits are not read off the file: the interpreter is run from every question with each
kind of bad luck, and must leave the question or end the call by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from ivr.dialogue.grammar import phrases
from ivr.dialogue.interpreter import hear
from ivr.dialogue.model import End, Listen, Say, Silence, Speech, State
from ivr.dialogue.plan import Ask, Dialplan
from ivr.understanding import understand
from ivr.understanding.model import Question, Understanding
from xunfang.vocabulary import Alert

FORBIDDEN = Path(__file__).with_name("forbidden_words.yaml")
PATIENCE = 12  # turns of the same bad luck in which a question must be left
MAX_PROMPT_CHARACTERS = 45  # about 15 s at the pace for old ears: more is not remembered


@dataclass(frozen=True, slots=True)
class Problem:
    """kind: exit, unreachable, prompt, phrase, forbidden, length, repeat."""

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} [{self.kind}]"


def check(
    plan: Dialplan,
    can_recognise: Callable[[str], bool] | None = None,
    has_prompt: Callable[[str], bool] | None = None,
) -> list[Problem]:
    """All problems of a loaded plan; empty when it may be used.

    `can_recognise(phrase)`: the model can express it (None: not checked, no model here);
    `has_prompt(text)`: a recording exists (None: not checked).
    """
    problems = [*_forbidden(plan), *_lengths(plan), *_exits(plan), *_unreachable(plan), *_same_wording(plan)]
    problems += _duty_words(plan)
    if can_recognise is not None:
        problems += _unrecognisable(plan, can_recognise)
    if has_prompt is not None:
        problems += [
            Problem("prompt", plan.name, f"no recording of {text!r}; render it: xunfang prompts render")
            for text in plan.texts()
            if not has_prompt(text)
        ]
    return problems


@cache
def _forbidden_words() -> tuple[tuple[str, str], ...]:
    rows = yaml.safe_load(FORBIDDEN.read_text("utf-8"))
    return tuple((word, row["why"]) for row in rows for word in row["words"])


def _forbidden(plan: Dialplan) -> Iterator[Problem]:
    for text in plan.texts():
        for word, why in _forbidden_words():
            if word in text:
                yield Problem("forbidden", plan.name, f"{text!r} holds {word!r} ({why}); say it without")


def _lengths(plan: Dialplan) -> Iterator[Problem]:
    for text in plan.texts():
        if len(text) > MAX_PROMPT_CHARACTERS:
            yield Problem(
                "length", plan.name, f"{text!r} has {len(text)} characters; at most {MAX_PROMPT_CHARACTERS}"
            )


def _same_wording(plan: Dialplan) -> Iterator[Problem]:
    for ask in (plan.identity, *plan.questions):
        wordings = [ask.say, ask.rephrase, ask.keypad, *([ask.concrete] if ask.concrete else [])]
        if len(set(wordings)) < len(wordings):
            yield Problem("repeat", ask.id, "two of its wordings are the same; say it in other words")


def _unreachable(plan: Dialplan) -> Iterator[Problem]:
    """Questions that no combination of answers ever leads to."""
    for number, ask in enumerate(plan.questions):
        seen = {ask.id}
        need = ask.when
        while need is not None:
            earlier = plan.question(need.question)
            if earlier is None or earlier.id in seen or plan.questions.index(earlier) > number:
                yield Problem(
                    "unreachable", ask.id, f"depends on {need.question!r}, which never comes before it"
                )
                break
            seen.add(earlier.id)
            need = earlier.when


def _unrecognisable(plan: Dialplan, can_recognise: Callable[[str], bool]) -> Iterator[Problem]:
    topics = dict.fromkeys(
        (Question.ANY, Question.IDENTITY, Question.EVENT, *(ask.topic for ask in plan.questions))
    )
    told: set[str] = set()
    grammars = [(str(topic), phrases(plan, topic)) for topic in topics]
    for topic, wanted in (*grammars, ("urgent.duty_words", plan.urgent.duty_words)):
        for phrase in wanted:
            if phrase not in told and not can_recognise(phrase):
                told.add(phrase)
                yield Problem("phrase", topic, f"the model in use cannot hear {phrase!r}; take other words")


def _duty_words(plan: Dialplan) -> Iterator[Problem]:
    """A word by which a mailbox would be taken for the duty person."""
    for word in plan.urgent.duty_words:
        if understand(word, Question.ANY).announcement is not None:
            yield Problem("phrase", "urgent.duty_words", f"a machine says {word!r} too; leave it out")


def _exits(plan: Dialplan) -> Iterator[Problem]:
    for ask in plan.questions:
        for luck in ("silence", "unclear"):
            if not _is_left(plan, ask, luck):
                yield Problem("exit", ask.id, f"no way out when the answer stays {luck}")
        if not _listens_elsewhere(plan, ask, _other_person, "relative"):
            yield Problem("exit", ask.id, "no way out when somebody else speaks")
        if not _rewords(plan, ask):
            yield Problem("exit", ask.id, "is not said in other words when the elder asks to hear it again")


def _is_left(plan: Dialplan, ask: Ask, luck: str) -> bool:
    state = State(at=ask.id, spoke=True)
    for _ in range(PATIENCE):
        heard = Silence() if luck == "silence" else Speech("……")
        step = hear(plan, state, heard, _meaning("unclear"))
        if any(isinstance(action, End) for action in step.actions) or step.state.at != ask.id:
            return True
        state = step.state
    return False


def _listens_elsewhere(
    plan: Dialplan, ask: Ask, understand: Callable[[str, Question], Understanding], question: str
) -> bool:
    step = hear(plan, State(at=ask.id, spoke=True), Speech("我是他邻居"), understand)
    return any(isinstance(action, Listen) and action.question == question for action in step.actions)


def _rewords(plan: Dialplan, ask: Ask) -> bool:
    step = hear(plan, State(at=ask.id, spoke=True), Speech("再说一遍"), _meaning("repeat_request"))
    said = [text for action in step.actions if isinstance(action, Say) for text in action.texts]
    return ask.rephrase in said


def _meaning(answer: str) -> Callable[[str, Question], Understanding]:
    return lambda text, question: Understanding(text, question, Alert.NONE, answer)


def _other_person(text: str, question: Question) -> Understanding:
    answer = "other_person" if question is Question.IDENTITY else "unclear"
    return Understanding(text, question, Alert.NONE, answer)
