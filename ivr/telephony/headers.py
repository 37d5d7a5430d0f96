"""Reading the few header fields that decide what a failed call means. Pure.

Reason: RFC 3326 (`Reason: Q.850;cause=17;text="User busy"`); Retry-After: RFC 3261 20.33.
"""

from __future__ import annotations

import re

_CAUSE = re.compile(r"cause\s*=\s*(\d{1,3})", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_BARE_86 = re.compile(r"86[1-9][0-9]{9,10}")
_TRUNK_ZERO_MOBILE = re.compile(r"01[3-9][0-9]{9}")
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


def methods(message: str) -> frozenset[str]:
    """The requests that the sender says it takes: Allow (RFC 3261 20.5); empty when it does not say."""
    named = (part.strip().upper() for value in fields(message, "Allow") for part in value.split(","))
    return frozenset(part for part in named if part)


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


def contact_uri(message: str) -> str:
    """Where later requests to the sender go (RFC 3261 20.10); empty when it names none."""
    for name in ("Contact", "m"):
        for value in fields(message, name):
            found = re.search(r"<([^>]+)>", value)
            return found.group(1) if found else value.split(";")[0].strip()
    return ""


def from_user(message: str) -> str:
    """Who says to be calling: P-Asserted-Identity (RFC 3325) when there is one, else From."""
    for name in ("P-Asserted-Identity", "From", "f"):
        for value in fields(message, name):
            found = _USER.search(value)
            if found:
                return found.group(1)
    return ""


def caller_number(user: str) -> str:
    """The number that rings, such that the ledger's look-up knows it; empty when it is withheld.

    Carriers write +86, 0086, a bare 86, or a trunk 0 before a mobile number. The look-up
    (storage.vault) knows the first two; the others are brought to them here.
    """
    if not _NUMBER.fullmatch(user):
        return ""  # anonymous, unavailable, a name
    if _TRUNK_ZERO_MOBILE.fullmatch(user):
        return user[1:]
    return f"+{user}" if _BARE_86.fullmatch(user) else user
