"""What the supervisor (督导) is told of the telephone itself: in the outbox, with the audit, in Chinese."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.breaker import BreakerState

if TYPE_CHECKING:
    from storage import Work

ACTOR = "system"
TOLD = ("duty", "webhook")
SUBJECT_CHARS = 64  # of the audit
_BROKEN, _MENDED = "dialplan.broken", "dialplan.mended"


def tell(work: Work, kind: str, title: str, body: str, now: datetime) -> None:
    for to in TOLD:
        work.notices.add(kind=kind, to=to, title=title, body=body, created_at=now)


def tell_breaker(work: Work, state: BreakerState, now: datetime) -> str:
    """Returns the kind of what was told."""
    opened = state is BreakerState.OPEN
    kind = f"breaker.{'opened' if opened else 'closed'}"
    title = "【线路故障】已暂停拨打" if opened else "【线路恢复】已继续拨打"
    body = (
        "近期呼叫多为线路故障，系统已暂停拨打，稍后自动试拨。老人没有漏接，不会因此产生上门任务。请检查中继线路。"
        if opened
        else "试拨成功，系统已恢复拨打。"
    )
    work.audit.write(now, ACTOR, kind, "trunk", {})
    tell(work, kind, title, body, now)
    return kind


def tell_dialplan_broken(work: Work, name: str, because: str, now: datetime) -> bool:
    """Once, however many elders have it and however often it is tried. True when it was told now."""
    if _last(work, name) == _BROKEN:
        return False
    work.audit.write(now, ACTOR, _BROKEN, _subject(name), {"because": because})
    body = (
        f"话术“{name}”不能使用，相关老人的电话暂不拨打，话术修复后自动继续；到期仍未拨出的转为上门任务。"
        f"原因：{because}"
    )
    tell(work, _BROKEN, "【话术故障】部分电话暂停拨打", body, now)
    return True


def tell_dialplan_mended(work: Work, name: str, now: datetime) -> bool:
    if _last(work, name) != _BROKEN:
        return False
    work.audit.write(now, ACTOR, _MENDED, _subject(name), {})
    tell(work, _MENDED, "【话术恢复】已继续拨打", f"话术“{name}”已可使用，相关电话继续拨打。", now)
    return True


def _last(work: Work, name: str) -> str | None:
    entries = work.audit.of(_subject(name))
    return entries[-1].kind if entries else None


def _subject(name: str) -> str:
    return f"dialplan:{name}"[:SUBJECT_CHARS]
