"""节日: the festivals on which everybody is called once, as campaigns of one year.

Days of the lunar calendar come from the library `holidays` (tables of the Hong Kong Observatory).
The calls are made before the day, when families decide whether they come home.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from holidays.calendars.chinese import _ChineseLunisolar

from scheduler.planning.campaigns import DIALPLANS
from storage.model import Campaign
from xunfang.errors import BadInput
from xunfang.vocabulary import CampaignKind


@dataclass(frozen=True, slots=True)
class Festival:
    code: str
    name: str
    days_before: int  # the first day of the calls
    last_before: int  # the last one; 0: the day itself


FESTIVALS = (
    Festival("spring", "春节", 10, 2),  # 腊月二十八 and later the villages cook
    Festival("mid-autumn", "中秋节", 4, 1),
    Festival("double-ninth", "重阳节", 4, 0),  # 老年节
)


def day_of(festival: Festival, year: int) -> date:
    """BadInput for a year that the tables do not hold."""
    lunar = _ChineseLunisolar()
    if festival.code == "spring":
        day, _ = lunar.lunar_new_year_date(year)
    elif festival.code == "mid-autumn":
        day, _ = lunar.mid_autumn_date(year)
    else:
        day, _ = lunar.double_ninth_date(year)
    if day is None:
        raise BadInput(f"the lunar calendar of {year} is not known; add the campaign with its dates yourself")
    return day


def campaigns_of(year: int, created_by: str, now: datetime) -> list[Campaign]:
    return [_campaign(festival, year, created_by, now) for festival in FESTIVALS]


def _campaign(festival: Festival, year: int, created_by: str, now: datetime) -> Campaign:
    day = day_of(festival, year)
    return Campaign(
        id=0,
        code=f"{festival.code}-{year}",
        name=f"{year}年{festival.name}问候",
        kind=CampaignKind.FESTIVAL,
        areas=(),
        categories=frozenset(),
        dialplan=DIALPLANS[CampaignKind.FESTIVAL],
        starts=day - timedelta(days=festival.days_before),
        ends=day - timedelta(days=festival.last_before),
        every_days=None,
        created_by=created_by,
        created_at=now,
    )
