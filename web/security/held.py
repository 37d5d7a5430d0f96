"""A form that was sent after its session was over is not lost: its fields travel, encrypted, through the
sign-in page, and the same user is asked to send them once more. Files cannot be kept, passwords must not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request
from starlette.datastructures import UploadFile

from storage import Store
from storage.model import User
from xunfang.errors import StorageError

KEEP = timedelta(hours=1)
MAX_CHARS = 200_000  # of all fields together
_SECRET = "password"


@dataclass(frozen=True, slots=True)
class Held:
    path: str
    fields: tuple[tuple[str, str], ...]
    lost_files: bool


async def read(request: Request) -> Held | None:
    """What was sent, when it was a form; None when there is nothing to keep."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return None
    form = await request.form()
    fields = tuple(
        (name, value) for name, value in form.multi_items() if isinstance(value, str) and _SECRET not in name
    )
    lost = any(isinstance(value, UploadFile) and value.filename for value in form.values())
    if sum(len(name) + len(value) for name, value in fields) > MAX_CHARS:
        return None
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Held(path, fields, lost)


def seal(store: Store, held: Held, user: User, now: datetime) -> str:
    what = {
        "user": user.id,
        "until": (now + KEEP).isoformat(),
        "path": held.path,
        "fields": held.fields,
        "lost": held.lost_files,
    }
    return store.vault.encrypt(json.dumps(what, ensure_ascii=False))


def unseal(store: Store, token: str, user: User, now: datetime) -> Held | None:
    """None when it is not of this user, too old, or not ours."""
    if not token:
        return None
    try:
        what = json.loads(store.vault.decrypt(token))
    except (StorageError, ValueError):
        return None
    if what.get("user") != user.id or now >= datetime.fromisoformat(what["until"]):
        return None
    return Held(what["path"], tuple((name, value) for name, value in what["fields"]), what["lost"])
