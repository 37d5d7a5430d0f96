"""Guessing passwords is slowed down per login and per address, over all processes (counted in the table).

An attempt is counted before the password is looked at and forgiven when it was right, so that a
hundred guesses at one moment count as a hundred. An attempt that was turned away is not counted:
whoever goes on knocking does not make the owner wait longer than WINDOW.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import Store

WINDOW = timedelta(minutes=15)
PER_LOGIN = 5
PER_ADDRESS = 30  # an office behind one address


@dataclass(frozen=True, slots=True)
class Keys:
    login: str
    address: str


def keys_of(store: Store, login: str, address: str) -> Keys:
    """Keyed hashes: the table tells neither who was tried nor from where."""
    sign = store.vault.sign
    return Keys(sign("sign-in login", login), sign("sign-in address", address))


def attempt(store: Store, keys: Keys, now: datetime) -> datetime | None:
    """None: go on, and it is counted. Otherwise when to try again."""
    with store.begin() as work:
        work.sign_ins.purge(now - WINDOW)
        for key, allowed in ((keys.login, PER_LOGIN), (keys.address, PER_ADDRESS)):
            recent = work.sign_ins.recent(key, now - WINDOW, allowed)
            if len(recent) >= allowed:
                return recent[-1] + WINDOW
        work.sign_ins.attempt(keys.login, now)
        work.sign_ins.attempt(keys.address, now)
    return None


def forgive(store: Store, keys: Keys) -> None:
    """The password was right. Other logins tried from this address stay counted."""
    with store.begin() as work:
        work.sign_ins.forgive([keys.login])
        work.sign_ins.forgive_one(keys.address)
