"""Reading the few header fields that decide what a failed call means. Pure.

Reason: RFC 3326 (`Reason: Q.850;cause=17;text="User busy"`); Retry-After: RFC 3261 20.33.
"""

from __future__ import annotations

import re

_CAUSE = re.compile(r"cause\s*=\s*(\d{1,3})", re.IGNORECASE)
_USER = re.compile(r"(?:sips?|tel):([^@>;\s]+)", re.IGNORECASE)


def fields(message: str, name: str) -> list[str]:
    """Every value of a header field in a SIP message, in order; folded lines are joined."""
    head = re.split(r"\r?\n\r?\n", message, maxsplit=1)[0]
    unfolded = re.sub(r"\r?\n[ \t]+", " ", head)
    prefix = name.lower() + ":"
    return [
        line[len(prefix) :].strip()
        for line in re.split(r"\r?\n", unfolded)[1:]
        if line.lower().replace(" :", ":").startswith(prefix)
    ]


def q850(message: str) -> int | None:
    """The Q.850 cause of a response or BYE, if it names one."""
    for value in fields(message, "Reason"):
        for reason in value.split(","):
            if reason.strip().lower().startswith("q.850"):
                found = _CAUSE.search(reason)
                if found:
                    return int(found.group(1))
    return None


def retry_after(message: str) -> int | None:
    """Seconds to leave a congested trunk alone."""
    for value in fields(message, "Retry-After"):
        found = re.match(r"\d+", value)
        if found:
            return int(found.group(0))
    return None


def request_user(message: str) -> str:
    """Whom an incoming request is for: the user part of the Request-URI."""
    found = _USER.search(message.split("\n", 1)[0])
    return found.group(1) if found else ""


def from_user(message: str) -> str:
    """Who says to be calling: P-Asserted-Identity (RFC 3325) when there is one, else From."""
    for name in ("P-Asserted-Identity", "From", "f"):
        for value in fields(message, name):
            found = _USER.search(value)
            if found:
                return found.group(1)
    return ""
