"""Times as people of the county say them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SOON = timedelta(hours=2)  # a deadline nearer than this is amber


def at(moment: datetime | None, zone: ZoneInfo) -> str:
    """11-23 09:10"""
    return "" if moment is None else f"{moment.astimezone(zone):%m-%d %H:%M}"


def at_full(moment: datetime | None, zone: ZoneInfo) -> str:
    """2026-11-23 09:10:05"""
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def span(length: timedelta) -> str:
    """3天 · 5小时20分 · 12分钟: two units at most."""
    minutes = int(length.total_seconds() // 60)
    if length >= DAY:
        hours = minutes // 60 % 24
        return f"{length.days}天{hours}小时" if hours and length.days < 3 else f"{length.days}天"
    if length >= HOUR:
        return f"{minutes // 60}小时{minutes % 60}分" if minutes % 60 else f"{minutes // 60}小时"
    return f"{max(minutes, 0)}分钟"


def left(deadline: datetime, now: datetime) -> str:
    """剩5小时20分 · 超时12分钟"""
    return f"超时{span(now - deadline)}" if now >= deadline else f"剩{span(deadline - now)}"


def urgency(deadline: datetime, now: datetime) -> str:
    """Colour of a deadline clock: red when it is over, orange when it is near."""
    return "red" if now >= deadline else "orange" if deadline - now <= SOON else "secondary"
