"""What is done to accounts, by the command line and by the county's page alike: checked, audited,
and with the sessions ended that must not go on."""

from __future__ import annotations

import re
from datetime import datetime

from storage import Work
from storage.model import User
from web.security.passwords import Passwords
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import UserRole, zh

_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
NAME_CHARS = 50
PAGE = 500


def add(
    work: Work,
    passwords: Passwords,
    now: datetime,
    actor: str,
    *,
    login: str,
    name: str,
    role: UserRole,
    password: str,
    area_id: int | None = None,
    visitor_id: int | None = None,
) -> User:
    """Raises BadInput with everything that is wrong in Chinese, NotFound for an unknown area or visitor."""
    login, name = login.strip().lower(), name.strip()
    if not _LOGIN.fullmatch(login):
        raise BadInput("用户名须为2至32个小写字母、数字、点、横线或下划线，以字母开头")
    if not name or len(name) > NAME_CHARS:
        raise BadInput(f"姓名须为1至{NAME_CHARS}个字")
    if area_id is not None and work.areas.get(area_id) is None:
        raise NotFound("没有这个地区")
    if role is UserRole.VISITOR:
        visitor = None if visitor_id is None else work.visitors.get(visitor_id)
        if visitor is None:
            raise BadInput("巡访员账号须对应台账中的一位巡访员，请填写巡访员编号")
        area_id = visitor.area_id if area_id is None else area_id
    elif visitor_id is not None:
        raise BadInput(f"{zh(role)}账号不能对应巡访员")
    elif role is not UserRole.COUNTY_ADMIN and area_id is None:
        raise BadInput(f"{zh(role)}账号须指定所管的地区")
    user = work.accounts.add(
        login=login,
        name=name,
        password_hash=passwords.hash(password, login),
        role=role,
        area_id=area_id,
        visitor_id=visitor_id,
        created_at=now,
    )
    _audit(work, now, actor, "account.added", user, {"role": role.value, "area_id": area_id})
    return user


def find(work: Work, login: str) -> User:
    user = work.accounts.by_login(login.strip().lower())
    if user is None:
        raise NotFound(f"no user {login}; `xunfang user list` shows all")
    return user


def set_password(
    work: Work, passwords: Passwords, now: datetime, actor: str, user: User, password: str
) -> User:
    """Ends every session of this user: whoever knew the old password is out."""
    changed = work.accounts.update(user.id, password_hash=passwords.hash(password, user.login))
    ended = work.sessions.end_all(user.id, now)
    _audit(work, now, actor, "account.password", user, {"sessions_ended": ended})
    return changed


def set_active(work: Work, now: datetime, actor: str, user: User, active: bool) -> User:
    """Raises Conflict when nobody would be left who can manage accounts."""
    if not active and user.role is UserRole.COUNTY_ADMIN and user.area_id is None and _admins(work) <= 1:
        raise Conflict("这是最后一个启用的县级管理员，不能停用")
    changed = work.accounts.update(user.id, active=active)
    ended = 0 if active else work.sessions.end_all(user.id, now)
    kind = "account.enabled" if active else "account.disabled"
    _audit(work, now, actor, kind, user, {"sessions_ended": ended})
    return changed


def _admins(work: Work) -> int:
    """Those of the whole county: one of a part of it cannot stand in for them."""
    found, after = 0, ""
    while page := work.accounts.page(after, PAGE):
        found += sum(
            user.active and user.role is UserRole.COUNTY_ADMIN and user.area_id is None for user in page
        )
        after = page[-1].login
    return found


def _audit(work: Work, now: datetime, actor: str, kind: str, user: User, detail: dict[str, object]) -> None:
    work.audit.write(now, actor, kind, f"account:{user.id}", detail)
