"""Tokens of the API, made and revoked by the command line and by the county's page alike.

A token is 256 bits of chance, so a plain SHA-256 of it is as good as a slow hash; only that is stored.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from storage import Work
from storage.model import ApiToken
from xunfang.errors import BadInput, Conflict, NotFound

PREFIX = "xf_"  # so that a leaked one is recognised by scanners
TOKEN_BYTES = 32
HINT_CHARS = 4
MOST_DAYS = 3650
USED_EVERY = timedelta(minutes=1)  # last_used_at is written so often at most
_NAME = re.compile(r"[a-z][a-z0-9-]{1,27}")


class Scope(StrEnum):
    """What a token may do. ADMIN: everything but full numbers."""

    ELDERS_READ = "elders:read"
    ELDERS_WRITE = "elders:write"
    ELDERS_REVEAL = "elders:reveal"
    PLANS_READ = "plans:read"
    CALLS_READ = "calls:read"
    RECORDINGS_READ = "recordings:read"
    REVIEWS_WRITE = "reviews:write"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    RECORDS_READ = "records:read"
    REPORTS_READ = "reports:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    FLEET_READ = "fleet:read"
    ADMIN = "admin"


MEANING = {
    Scope.ELDERS_READ: "查看老人台账（号码遮盖）、区划",
    Scope.ELDERS_WRITE: "新增和修改老人、暂停、登记意愿",
    Scope.ELDERS_REVEAL: "查看完整号码（每次记入审计）",
    Scope.PLANS_READ: "查看巡访计划和专项巡访",
    Scope.CALLS_READ: "查看通话、对话文字、待复核",
    Scope.RECORDINGS_READ: "收听录音（每次记入审计）",
    Scope.REVIEWS_WRITE: "复核：判断报警、更正回答",
    Scope.CASES_READ: "查看上门案件",
    Scope.CASES_WRITE: "处理上门案件",
    Scope.RECORDS_READ: "查看巡访记录、下载记录表",
    Scope.REPORTS_READ: "查看统计指标",
    Scope.CAMPAIGNS_WRITE: "发起和结束专项巡访",
    Scope.FLEET_READ: "查看拨号机运行状况",
    Scope.ADMIN: "以上全部（完整号码除外）",
}


def allows(scopes: Sequence[str], scope: Scope) -> bool:
    return scope in scopes or (Scope.ADMIN in scopes and scope is not Scope.ELDERS_REVEAL)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def add(
    work: Work,
    now: datetime,
    actor: str,
    *,
    name: str,
    scopes: Sequence[str],
    area_id: int | None = None,
    days: int | None = None,
) -> tuple[ApiToken, str]:
    """The token itself is returned once and kept nowhere. `days`: valid so long, None: until revoked.
    Raises BadInput with what is wrong, in Chinese."""
    if not _NAME.fullmatch(name):
        raise BadInput("令牌名称须为2至28个小写字母、数字或横线，以字母开头，例如 county-desk")
    known = {each.value for each in Scope}
    if unknown := [each for each in scopes if each not in known]:
        raise BadInput(f"不认识的权限 {unknown[0][:40]}；可以是：{'、'.join(sorted(known))}")
    if not scopes:
        raise BadInput("请至少选择一项权限")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise BadInput(f"有效天数须为1至{MOST_DAYS}")
    if area_id is not None and work.areas.get(area_id) is None:
        raise NotFound("没有这个地区")
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    made = work.api_tokens.add(
        name=name,
        token_hash=token_hash(token),
        hint=token[-HINT_CHARS:],
        scopes=tuple(each.value for each in Scope if each.value in scopes),
        area_id=area_id,
        created_at=now,
        created_by=actor,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    detail = {"name": made.name, "scopes": list(made.scopes), "area_id": area_id, "days": days}
    work.audit.write(now, actor, "token.added", f"token:{made.id}", detail)
    return made, token


def revoke(work: Work, now: datetime, actor: str, token: ApiToken) -> None:
    """At once. Raises Conflict when it was revoked already."""
    if not work.api_tokens.revoke(token.id, now):
        raise Conflict("这个令牌已经作废")
    work.audit.write(now, actor, "token.revoked", f"token:{token.id}", {"name": token.name})


def find(work: Work, name: str) -> ApiToken:
    found = work.api_tokens.named(name)
    if found is None:
        raise NotFound("没有这个名称的令牌；`xunfang token list` 列出全部")
    return found
