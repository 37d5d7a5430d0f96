"""专项巡访: surges beside the ordinary cadence, each with a last day.

How calls are folded, so that nobody is called twice a day for nothing:
- when a round is planned, other open calls to the same elder are put off until tomorrow, unless
  their period is nearly over (storage.repository_campaigns.ENOUGH_LEFT);
- when the surge call was heard, an open weekly visit is done by it; a monthly or quarterly visit,
  which fills the official form, stays due on another day (scheduler.followup);
- of two surges the graver calls first (CampaignKind is ordered), the other waits until that
  elder's call has ended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.due import midnight, terms
from scheduler.hours import HoursConfig, opens_between, served_until
from scheduler.policy import Policy
from storage.model import Campaign, Occurrence, Terms
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import CampaignKind, PlanStatus

if TYPE_CHECKING:
    from storage import Store, Work

LONGEST = timedelta(days=180)  # a surge without end would be a second cadence
DIALPLANS = {
    CampaignKind.HEAT: "surge_heat",
    CampaignKind.COLD: "surge_cold",
    CampaignKind.FLOOD: "surge_flood",
    CampaignKind.EPIDEMIC: "surge_epidemic",
    CampaignKind.FESTIVAL: "weekly_short",
}
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,38}")
_GRAVEST_FIRST = tuple(CampaignKind)
CHUNK_ELDERS = 5000


def check(campaign: Campaign) -> None:
    """BadInput says what is wrong with it."""
    if not _CODE.fullmatch(campaign.code):
        raise BadInput(
            f"campaign code {campaign.code!r}: 2 to 39 of a-z, 0-9 and -, for example heat-2026-07"
        )
    if campaign.ends < campaign.starts:
        raise BadInput(f"the campaign ends ({campaign.ends}) before it starts ({campaign.starts})")
    if campaign.ends - campaign.starts > LONGEST:
        raise BadInput(f"a campaign lasts at most {LONGEST.days} days; begin another one when it goes on")
    if campaign.every_days is not None and campaign.every_days < 1:
        raise BadInput("every: 1 for daily, 2 for every other day, ...; leave it out for once")


def occurrence(campaign: Campaign, today: date, config: HoursConfig) -> Occurrence | None:
    """The round that runs today: [its day, the next round or the end). None before and after, and for a
    round of several in which nobody may be called (the next one does it)."""
    if not campaign.starts <= today <= campaign.ends:
        return None
    after = campaign.ends + timedelta(days=1)
    first = campaign.starts
    if campaign.every_days is not None:
        passed = (today - campaign.starts).days // campaign.every_days
        first += timedelta(days=passed * campaign.every_days)
        after = min(after, first + timedelta(days=campaign.every_days))
    start, end = midnight(first, config.timezone), midnight(after, config.timezone)
    if campaign.every_days is not None and not opens_between(start, end, config):
        return None
    return Occurrence(
        campaign=campaign,
        period=f"{prefix(campaign.code)}{first.isoformat()}",
        due_from=start,
        due_until=served_until(start, end, config),
    )


def prefix(code: str) -> str:
    return f"campaign:{code}:"


def in_order(found: Iterable[Occurrence]) -> list[Occurrence]:
    """The gravest first; each yields to those before it."""
    ordered = sorted(found, key=lambda each: (_GRAVEST_FIRST.index(each.campaign.kind), each.campaign.id))
    return [
        replace(each, yields_to=tuple(graver.period for graver in ordered[:at]))
        for at, each in enumerate(ordered)
    ]


def rounds(store: Store, now: Terms, policy: Policy) -> list[Occurrence]:
    """What the campaigns ask for today."""
    with store.read() as work:
        campaigns = work.campaigns.not_over(now.today)
    found = (occurrence(each, now.today, policy.hours) for each in campaigns)
    return in_order(each for each in found if each is not None)


# ---- for the command line and the console --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CampaignView:
    campaign: Campaign
    running: bool
    rounds: dict[str, dict[str, int]]  # period -> status -> plans


def add(work: Work, campaign: Campaign, now: datetime) -> Campaign:
    check(campaign)
    for area_id in campaign.areas:
        if work.areas.get(area_id) is None:
            raise NotFound(f"no area {area_id} in the ledger")
    added = work.campaigns.add(campaign)
    detail = {
        "kind": added.kind.value,
        "starts": added.starts.isoformat(),
        "ends": added.ends.isoformat(),
        "every_days": added.every_days,
        "areas": list(added.areas),
        "categories": sorted(added.categories),
        "dialplan": added.dialplan,
    }
    work.audit.write(now, added.created_by, "campaign.added", f"campaign:{added.code}", detail)
    return added


def would_call(store: Store, campaign: Campaign, now: datetime, policy: Policy) -> Counter[str]:
    """Dry run of its first round: elders by phone and on site. Nothing is stored."""
    day = max(campaign.starts, terms(now, policy).today)
    found = occurrence(campaign, day, policy.hours)
    if found is None:
        raise BadInput(f"no round of the campaign can be called: its last day is {campaign.ends}")
    at = replace(terms(now, policy), today=day)
    total: Counter[str] = Counter()
    after = 0
    while True:
        with store.read() as work:
            part = work.planning.chunk(after, CHUNK_ELDERS)
            if part is None:
                return total
            total += work.campaigns.unplanned(found, at, part)
        after = part.upto


def end(store: Store, code: str, actor: str, now: datetime) -> int:
    """End it now: no further round; calls not yet tried are taken back, silent elders are still looked
    for. Returns how many plans were taken back. Repeating it changes nothing."""
    with store.begin() as work:
        campaign = _named(work, code)
        if work.campaigns.end(campaign.id, now):
            detail = {"planned_end": campaign.ends.isoformat()}
            work.audit.write(now, actor, "campaign.ended", f"campaign:{code}", detail)
    withdrawn = 0
    while True:
        with store.begin() as work:
            gone = work.campaigns.withdraw(campaign.id)
        withdrawn += gone
        if not gone:
            return withdrawn


def view(work: Work, code: str, today: date) -> CampaignView:
    campaign = _named(work, code)
    counted = {
        period: {PlanStatus(status).value: count for status, count in counts.items()}
        for period, counts in work.campaigns.counts(campaign.id).items()
    }
    return CampaignView(
        campaign, campaign.ended_at is None and campaign.starts <= today <= campaign.ends, counted
    )


def _named(work: Work, code: str) -> Campaign:
    campaign = work.campaigns.get(code)
    if campaign is None:
        raise NotFound(f"no campaign {code}; `xunfang campaign list` shows them")
    return campaign
