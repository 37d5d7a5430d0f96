"""Ways out of the house for a notice: apprise URLs, and a webhook whose body is signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from storage.model import Notice

WEBHOOK_TIMEOUT_S = 10.0
SIGNATURE_HEADER = "X-Xunfang-Signature"
TIMESTAMP_HEADER = "X-Xunfang-Timestamp"
DELIVERY_HEADER = "X-Xunfang-Delivery"  # the notice's id: the same one on every retry


class ChannelError(Exception):
    """A notice did not go out. The text is for the audit and holds no personal data."""


class Channel(Protocol):
    def send(self, notice: Notice, phone: str, now: datetime) -> None:
        """Raises ChannelError when it did not go out. `phone` is empty unless a person is told."""
        ...


@dataclass(frozen=True, slots=True)
class NoticeConfig:
    """`person_urls`: apprise URLs of an SMS service with `{phone}` where the number belongs."""

    apprise_urls: tuple[str, ...] = field(default=(), repr=False)
    person_urls: tuple[str, ...] = field(default=(), repr=False)
    webhook_url: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)


class AppriseChannel:
    """DingTalk, WeCom, mail, SMS …: whatever apprise has a URL for."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)

    def send(self, notice: Notice, phone: str, now: datetime) -> None:
        import apprise  # takes half a second to load, and only a configured house needs it

        sender = apprise.Apprise()
        for url in self._urls:
            if not sender.add(re.sub(r"\{phone\}", quote(phone), url)):
                raise ChannelError(
                    "an apprise URL in the settings is not understood; check `notices.apprise`"
                )
        if not sender.notify(title=notice.title, body=notice.body):
            raise ChannelError("apprise could not deliver")


class WebhookChannel:
    """POST of a JSON body, signed so that the receiver can trust it.

    The signature is `sha256=` + HMAC-SHA256(secret, timestamp + "." + body) in hex, the timestamp
    (Unix seconds, of this attempt) goes along so that the receiver can refuse old copies.
    """

    def __init__(self, url: str, secret: str, client: httpx.Client | None = None) -> None:
        self._url = url
        self._secret = secret
        self._client = client or httpx.Client(timeout=WEBHOOK_TIMEOUT_S)

    def send(self, notice: Notice, phone: str, now: datetime) -> None:
        body = json.dumps(payload(notice), ensure_ascii=False, sort_keys=True).encode()
        stamp = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            TIMESTAMP_HEADER: stamp,
            SIGNATURE_HEADER: sign(self._secret, stamp, body),
            DELIVERY_HEADER: str(notice.id),
        }
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise ChannelError(f"webhook not reached: {type(error).__name__}") from None
        if not answer.is_success:
            raise ChannelError(f"webhook answered {answer.status_code}")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def payload(notice: Notice) -> dict[str, Any]:
    """What a machine gets: no name, number, address or quote; it asks for the case by its id."""
    return {
        "id": notice.id,
        "kind": notice.kind,
        "case_id": notice.case_id,
        "title": notice.title,
        "body": notice.body,
        "created_at": None if notice.created_at is None else notice.created_at.isoformat(),
        "data": notice.data or {},
    }
