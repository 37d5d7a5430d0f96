"""JSON Schema errors in words that help: where, what is wrong, what is allowed."""

from __future__ import annotations

from typing import Any

from jsonschema import ValidationError
from jsonschema.protocols import Validator

MAX_PROBLEMS = 10  # more at once only hides the first


def explain(validator: Validator, data: dict[str, Any]) -> list[str]:
    """`place: what is wrong; allowed: …`, at most MAX_PROBLEMS of them in document order."""
    errors = sorted(
        validator.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path]
    )
    return [f"{_place(error, data)}: {_what(error)}" for error in errors[:MAX_PROBLEMS]]


def _place(error: ValidationError, data: dict[str, Any]) -> str:
    parts: list[str] = []
    here: Any = data
    for part in error.absolute_path:
        here = here[part]
        name = f" ({here['id']})" if isinstance(here, dict) and isinstance(here.get("id"), str) else ""
        parts.append(f"{part}{name}")
    return "/".join(parts) or "top level"


def _what(error: ValidationError) -> str:
    value, rule = error.instance, error.validator_value
    match error.validator:
        case "additionalProperties" if isinstance(error.schema, dict) and isinstance(value, dict):
            allowed = sorted(error.schema.get("properties", {}))
            unknown = sorted(str(key) for key in value if key not in allowed)
            return f"unknown key {', '.join(map(repr, unknown))}; allowed: {', '.join(allowed)}"
        case "required" if isinstance(rule, list) and isinstance(value, dict):
            return f"missing: {', '.join(key for key in rule if key not in value)}"
        case "enum" if isinstance(rule, list):
            return f"{value!r} is not allowed; allowed: {', '.join(map(str, rule))}"
        case "const":
            return f"{value!r} is not allowed; allowed: {rule!r}"
        case "type":
            hint = (
                " (YAML reads yes, no, on, off as true and false: put it in quotes)"
                if value in (True, False)
                else ""
            )
            return f"{value!r} is no {rule}; allowed: a {rule}{hint}"
        case "minLength" | "maxLength":
            side = "at least" if error.validator == "minLength" else "at most"
            return f"{len(str(value))} characters; allowed: {side} {rule}"
        case "minItems" | "maxItems" | "minProperties":
            side = "at most" if error.validator == "maxItems" else "at least"
            return f"{len(value) if isinstance(value, (list, dict)) else 0} entries; allowed: {side} {rule}"
        case "minimum" | "maximum":
            return f"{value!r}; allowed: at {'least' if error.validator == 'minimum' else 'most'} {rule}"
        case "pattern":
            return f"{value!r}; allowed: text like {rule}"
        case _:
            return error.message
