"""Reads a dialplan (话术): what a call says and asks, from YAML, checked, frozen.

A file may take in another by `extends: shared/common.yaml` (mappings are merged, everything
else is replaced). The merged whole must satisfy `ivr/dialplans/schema.json`. The hash covers
the bytes of both files and is stamped on every call, so that any answer can be traced to
the words of its question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from ivr.dialogue.complaint import explain
from ivr.dialogue.consistency import inconsistencies
from ivr.dialogue.grammar import phrases
from ivr.dialogue.plan import (
    Ask,
    Callback,
    Closing,
    Condition,
    Confirm,
    Contacting,
    Dialplan,
    Goodbye,
    Greeting,
    OptOut,
    OtherPerson,
    Seconds,
    SlotQuestion,
    Urgent,
    greeting_text,
)
from ivr.understanding.model import Question
from xunfang.errors import BadDialplan, NotFound

__all__ = ["Ask", "Dialplan", "greeting_text", "load", "names", "phrases"]

FOLDER = Path(__file__).parents[1] / "dialplans"
SCHEMA = FOLDER / "schema.json"
HASH_DIGITS = 12

Digest = Callable[[bytes], None]


def names() -> tuple[str, ...]:
    """The shipped dialplans."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name_or_path: str | Path) -> Dialplan:
    """A shipped dialplan by name, or a file by path.

    NotFound when there is none, BadDialplan when it breaks a rule: the message names the
    file, the place in it and what is allowed there.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = FOLDER / f"{name_or_path}.yaml"
    if not path.is_file():
        raise NotFound(
            f"no dialplan {str(name_or_path)!r}; there are: {', '.join(names())}, or give a .yaml file"
        )
    digest = hashlib.sha256()
    data = _merged(path, digest.update)
    problems = explain(jsonschema.Draft202012Validator(_schema()), data)
    if problems:
        raise BadDialplan("\n".join(f"{path.name}: {problem}" for problem in problems))
    plan = _build(data, digest.hexdigest()[:HASH_DIGITS])
    problems = list(inconsistencies(plan))
    if problems:
        raise BadDialplan("\n".join(f"{path.name}: {problem}" for problem in problems))
    return plan


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    return schema


def _merged(path: Path, digest: Digest) -> dict[str, Any]:
    data = _read(path, digest)
    if "extends" not in data:
        return data
    base_path = path.parent / str(data["extends"])
    if not base_path.is_file():
        base_path = FOLDER / str(data["extends"])
    if not base_path.is_file():
        raise BadDialplan(
            f"{path.name}: extends: no file {data['extends']!r} beside it or among the shipped ones"
        )
    return _over(_read(base_path, digest), data)


def _read(path: Path, digest: Digest) -> dict[str, Any]:
    content = path.read_bytes()
    digest(content)
    try:
        data = yaml.safe_load(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadDialplan(
            f"{path.name}: not UTF-8 text (byte {error.start}); save the file as UTF-8"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        what = getattr(error, "problem", None) or "cannot be read"
        raise BadDialplan(f"{path.name}: broken YAML at {where}: {what}") from error
    if not isinstance(data, dict):
        raise BadDialplan(f"{path.name}: a dialplan is a mapping with the keys name, title, questions, …")
    for place, key in _odd_keys(data):
        raise BadDialplan(
            f'{path.name}: {place}: the key {key!r} is no text; put it in quotes: "1", "yes", "no"'
        )
    return data


def _odd_keys(data: Any, place: str = "top level") -> Iterator[tuple[str, object]]:
    """YAML reads 1 as a number and yes as true: both would silently match nothing."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if isinstance(data, dict) and not isinstance(key, str):
            yield place, key
        yield from _odd_keys(value, f"{place}/{key}".removeprefix("top level/"))


def _over(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """`top` laid over `base`: mappings merge, the rest is replaced."""
    merged = dict(base)
    for key, value in top.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _build(data: dict[str, Any], digest: str) -> Dialplan:
    other, opt_out, confirm, urgent = data["other_person"], data["opt_out"], data["confirm"], data["urgent"]
    return Dialplan(
        name=data["name"],
        title=data["title"],
        hash=digest,
        listen=Seconds(**data["listen"]),
        greeting=Greeting(**data["greeting"]),
        identity=_ask({"id": "identity", **data["identity"]}),
        other_person=OtherPerson(
            **{
                **other,
                "handover_words": tuple(other["handover_words"]),
                "wait_words": tuple(other["wait_words"]),
                "volunteers": tuple(Question(topic) for topic in other["volunteers"]),
            }
        ),
        acknowledge=dict(data["acknowledge"]),
        go_on=data["go_on"],
        ask_human=data["ask_human"],
        opt_out=OptOut(
            **{
                **opt_out,
                "advertised": tuple(opt_out["advertised"]),
                "no_words": tuple(opt_out["no_words"]),
                "yes_words": tuple(opt_out["yes_words"]),
            }
        ),
        goodbye=Goodbye(**data["goodbye"]),
        closing=Closing(**data["closing"]),
        confirm=Confirm(
            yes_words=tuple(confirm["yes_words"]),
            no_words=tuple(confirm["no_words"]),
            time_words=tuple(confirm["time_words"]),
            default=_slots(confirm["default"]),
            events={event: _slots(slots) for event, slots in confirm["events"].items()},
        ),
        urgent=Urgent(
            **{
                **urgent,
                "advice": dict(urgent["advice"]),
                "hold": tuple(urgent["hold"]),
                "hold_failed": tuple(urgent["hold_failed"]),
                "duty_words": tuple(urgent["duty_words"]),
            }
        ),
        questions=tuple(_ask(question) for question in data["questions"]),
        callback=_callback(data["callback"]) if "callback" in data else None,
        contact=Contacting(**data["contact"]) if "contact" in data else None,
    )


def _callback(data: dict[str, Any]) -> Callback:
    lists = {
        "press": tuple(data["press"]),
        "words": tuple(tuple(words) for words in data["words"]),
        "hold_failed": tuple(data["hold_failed"]),
    }
    return Callback(**{**data, **lists, "why": dict(data["why"]), "digits": dict(data["digits"])})


def _slots(slots: dict[str, dict[str, str]]) -> dict[str, SlotQuestion]:
    return {slot: SlotQuestion(**question) for slot, question in slots.items()}


def _word_lists(data: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {answer: tuple(words) for answer, words in data.items()}


def _ask(data: dict[str, Any]) -> Ask:
    when = data.get("when")
    return Ask(
        **{
            **data,
            "topic": Question(data["topic"]),
            "keys": dict(data["keys"]),
            "review_on": tuple(data.get("review_on", ())),
            "acknowledge": dict(data.get("acknowledge", {})),
            "phrases": tuple(data.get("phrases", ())),
            "means": _word_lists(data.get("means", {})),
            "concrete_means": _word_lists(data.get("concrete_means", {})),
            "when": Condition(when["question"], tuple(when["answers"])) if when else None,
        }
    )
