"""Passwords: argon2id by pwdlib. An unknown login costs as much time as a known one."""

from __future__ import annotations

import secrets
from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from xunfang.errors import BadInput

MIN_CHARS = 10
MAX_CHARS = 128  # a longer one only burns time
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike on paper
_GROUPS, _GROUP_CHARS = 4, 4  # 31^16: 79 bits
_TRIES = 20
CHEAP = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)  # for tests: the same code, no waiting


class Passwords:
    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hash = PasswordHash((hasher or Argon2Hasher(),))

    @cached_property
    def nobody(self) -> str:
        """The hash that is compared when there is no such login; made before the first request comes."""
        return self._hash.hash(secrets.token_urlsafe())

    def hash(self, password: str, login: str) -> str:
        """Raises BadInput when it is too short, too long, or holds the login."""
        if not MIN_CHARS <= len(password) <= MAX_CHARS:
            raise BadInput(f"密码须为{MIN_CHARS}至{MAX_CHARS}个字符")
        if login and login.lower() in password.lower():
            raise BadInput("密码不能包含用户名")
        if len(set(password)) < MIN_CHARS // 2:
            raise BadInput("密码过于简单，请使用更多不同的字符")
        return self._hash.hash(password)

    def matches(self, password: str, stored: str | None) -> bool:
        """`stored` None: nobody of that login; False after the same time as for anybody."""
        right = self._hash.verify(password[: MAX_CHARS + 1], stored or self.nobody)
        return right and stored is not None


def generate(login: str) -> str:
    """Easy to read out: k7mp-2xqd-9rta-wn4c. Without the login in it, which may be two letters only."""
    password = _random()
    for _ in range(_TRIES):  # a login that is none, like "-", is for others to refuse
        if login.lower() not in password:
            break
        password = _random()
    return password


def _random() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
    return "-".join(groups)
