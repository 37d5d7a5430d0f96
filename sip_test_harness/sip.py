"""Just enough SIP text (RFC 3261) for the village's exchange: read a message, change a few fields. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

Address = tuple[str, int]

_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
_USER = re.compile(r"^(sips?|tel):(?:([^@;>\s]+)@)?([^;>\s]+)", re.IGNORECASE)
_MAGIC = "z9hG4bK"  # RFC 3261 8.1.1.7


@dataclass(slots=True)
class SipText:
    """A message as its start line, header fields in order and body."""

    start: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    @classmethod
    def parse(cls, datagram: bytes) -> SipText | None:
        """None for what is no SIP message (keep-alives, rubbish)."""
        head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        if "SIP/2.0" not in lines[0]:
            return None
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                fields.append((name.strip(), value.strip()))
        return cls(lines[0], fields, body)

    def encode(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.fields)]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0")

    @property
    def code(self) -> int:
        """Status of a response."""
        return int(self.start.split(" ", 2)[1])

    @property
    def method(self) -> str:
        return self.start.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        return self.start.split(" ", 2)[1]

    @property
    def user(self) -> str:
        """User part of the Request-URI: the dialled number."""
        found = _USER.match(self.uri)
        return (found.group(2) or found.group(3)) if found else ""

    def get(self, name: str) -> str:
        """First value of a field, by its long lower-case name; empty when there is none."""
        return next((value for key, value in self.fields if _long(key) == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if _long(key) == name]

    def drop_first(self, name: str) -> str:
        """Take away and return the first value; fields with several values in one line lose one of them."""
        for at, (key, value) in enumerate(self.fields):
            if _long(key) == name:
                first, comma, rest = value.partition(",")
                self.fields[at : at + 1] = [(key, rest.strip())] if comma else []
                return first.strip()
        return ""

    def retarget(self, user: str, address: Address) -> None:
        """Another Request-URI."""
        method, _, version = self.start.split(" ", 2)
        self.start = f"{method} sip:{user}@{address[0]}:{address[1]} {version}"


def _long(name: str) -> str:
    return _COMPACT.get(name.lower(), name.lower())


def push_via(message: SipText, here: Address, source: Address) -> None:
    """Forward a request statelessly (RFC 3261 16.11): note where it came from, put our Via on top.

    The branch is made from the one below, so that retransmissions, CANCEL and the ACK of a
    refusal get the same.
    """
    for at, (name, value) in enumerate(message.fields):
        if _long(name) == "via":
            first, comma, rest = value.partition(",")
            branch = hashlib.sha1(first.encode(), usedforsecurity=False).hexdigest()[:20]
            seen = re.sub(r";rport(=\d+)?(?=;|$)", "", first) + f";rport={source[1]};received={source[0]}"
            ours = f"SIP/2.0/UDP {here[0]}:{here[1]};branch={_MAGIC}{branch}"
            message.fields[at : at + 1] = [("Via", ours), (name, seen + comma + rest)]
            return


def next_hop(message: SipText) -> Address | None:
    """Where a response goes once our Via is off: received and rport of the next one."""
    via = message.get("via").partition(",")[0]
    sent_by = re.match(r"SIP/2\.0/\w+\s+([^;:\s]+)(?::(\d+))?", via)
    if not sent_by:
        return None
    received = re.search(r";received=([^;,\s]+)", via)
    rport = re.search(r";rport=(\d+)", via)
    host = received.group(1) if received else sent_by.group(1)
    return host, int(rport.group(1) if rport else sent_by.group(2) or 5060)


def reply(
    request: SipText, code: int, phrase: str, *, extra: tuple[tuple[str, str], ...] = (), body: str = ""
) -> SipText:
    """A response of our own; To gets a tag that stays the same for a call."""
    tag = hashlib.sha1(request.get("call-id").encode(), usedforsecurity=False).hexdigest()[:10]
    fields = [("Via", via) for via in request.all("via")]
    fields += [("Record-Route", route) for route in request.all("record-route")]
    to = request.get("to")
    fields += [
        ("From", request.get("from")),
        ("To", to if ";tag=" in to else f"{to};tag={tag}"),
        ("Call-ID", request.get("call-id")),
        ("CSeq", request.get("cseq")),
        *extra,
        ("Content-Length", str(len(body.encode()))),
    ]
    return SipText(f"SIP/2.0 {code} {phrase}", fields, body)
