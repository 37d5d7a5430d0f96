"""The composition root: settings in, working rooms out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from storage import Store
from xunfang.errors import BadSettings
from xunfang.settings import Settings

SQLITE = "sqlite:///"


def secret_keys(settings: Settings) -> list[str]:
    """Newest first. Refused when there is none: numbers are never stored in the clear."""
    keys = [settings.storage.secret_key] if settings.storage.secret_key else []
    found = [key.get_secret_value() for key in (*keys, *settings.storage.secret_keys)]
    if not found:
        raise BadSettings(
            "storage.secret_key is missing: run `xunfang init`, or give XUNFANG_STORAGE__SECRET_KEY_FILE"
        )
    return found


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The migrated database, closed at the end."""
    url = settings.storage.url
    if url.startswith(SQLITE):
        url = SQLITE + str(settings.folder / url.removeprefix(SQLITE))
    store = Store(url, secret_keys(settings))
    try:
        store.migrate()
        yield store
    finally:
        store.close()
