"""JSON Schemas of the harness' YAML files. What the fields mean is told in `formats.py`."""

from __future__ import annotations

from typing import Any

from sip_test_harness.model import Does, KeyMethod, Message, Via
from xunfang.vocabulary import Alert, CallDisposition, CaseKind, Category, Risk

Schema = dict[str, Any]

NUMBER: Schema = {"type": "string", "pattern": "^[0-9*#+]{2,20}$"}
NAME: Schema = {"type": "string", "minLength": 1}
MILLISECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": 60_000}
SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 600}
SPEECH: Schema = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [{"type": "string", "minLength": 1}, MILLISECONDS]},
        },
    ]
}


def _one_of(words: Any) -> Schema:
    return {"enum": [str(word) for word in words]}


def _object(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }


REPLY = _object(
    {
        "when": {"type": "string", "minLength": 1},
        "nth": {"type": "integer", "minimum": 1},
        "say": SPEECH,
        "press": {"type": "string", "pattern": "^[0-9*#A-D]+$"},
        "by": _one_of(KeyMethod),
        "hang_up": {"type": "boolean"},
        "wait_ms": MILLISECONDS,
        "barge_ms": MILLISECONDS,
        "times": {"type": "integer", "minimum": 1},
    }
) | {"anyOf": [{"required": ["when"]}, {"required": ["nth"]}]}

ATTEMPT = _object(
    {
        "does": _one_of(does for does in Does if does is not Does.MANUAL),
        "ring_s": SECONDS,
        "opening": SPEECH,
        "opening_ms": MILLISECONDS,
        "like": NAME,
        "replies": {"type": "array", "items": REPLY},
        "otherwise": {"type": "array", "items": SPEECH},
        "noise_db": {"type": "number", "minimum": -10, "maximum": 60},
        "loss_percent": {"type": "number", "minimum": 0, "maximum": 90},
        "message": _one_of(Message),
        "via": _one_of(Via),
        "repeat": {"type": "integer", "minimum": 1, "maximum": 10},
        "code": {"type": "integer", "minimum": 300, "maximum": 699},
        "q850": {"type": "integer", "minimum": 1, "maximum": 127},
        "hang_up_after_s": SECONDS,
        "stop_after_s": SECONDS,
        "calls_back_s": SECONDS,
    },
    ("does",),
)

PERSONA = _object(
    {
        "number": NUMBER,
        "name": NAME,
        "sex": {"enum": ["female", "male"]},
        "voice": NAME,
        "speed": {"type": "number", "minimum": 0.5, "maximum": 1.5},
        "story": NAME,
        "attempts": {"type": "array", "minItems": 1, "items": ATTEMPT},
    },
    ("number", "name", "sex", "voice", "story", "attempts"),
)

EXPECTED = _object(
    {
        "disposition": _one_of(CallDisposition),
        "alert": _one_of(Alert),
        "risk": _one_of(Risk),
        "cases": {"type": "array", "items": _one_of(CaseKind), "uniqueItems": True},
    }
)

SCENARIO = _object(
    {
        "about": NAME,
        "dialplan": NAME,
        "concurrent": {"type": "integer", "minimum": 1, "maximum": 100},
        "calls": {
            "type": "array",
            "minItems": 1,
            "items": _object({"persona": NAME, "expect": EXPECTED}, ("persona",)),
        },
    },
    ("about", "calls"),
)

PERSON = _object({"name": NAME, "relation": NAME, "phone": NUMBER}, ("name", "relation", "phone"))

VILLAGE = _object(
    {
        "province": NAME,
        "county": NAME,
        "township": NAME,
        "village": NAME,
        "duty_phone": NUMBER,
        "village_visitor": PERSON,
        "elders": {
            "type": "array",
            "minItems": 1,
            "items": _object(
                {
                    "persona": NAME,
                    "honorific": NAME,
                    "age": {"type": "integer", "minimum": 50, "maximum": 120},
                    "categories": {
                        "type": "array",
                        "minItems": 1,
                        "items": _one_of(Category),
                        "uniqueItems": True,
                    },
                    "address": NAME,
                    "contacts": {"type": "array", "items": PERSON},
                    "first_visitor": PERSON,
                    "expect": EXPECTED,
                },
                ("persona", "honorific", "age", "categories", "address", "first_visitor", "expect"),
            ),
        },
    },
    ("province", "county", "township", "village", "duty_phone", "village_visitor", "elders"),
)
