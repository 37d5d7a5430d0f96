"""A county that nobody lives in: as many invented elders as wanted, quickly, for measuring and simulating.

Nothing of it is drawn from real people: numbers come from a range that is not given out (1990000…),
names are a surname and 秀英 or 建国. The mix follows what pilots report of rural ledgers, roughly;
every share is a field of `Mix`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from storage import Store
from storage.model import Consent, Elder
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
BATCH_ELDERS = 2000
PER_VILLAGE = 150
VILLAGES_PER_TOWNSHIP = 12
CONSENT_AGE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of all elders."""

    weekly: float = 0.25
    monthly: float = 0.55  # the rest quarterly
    living_alone: float = 0.30
    left_behind: float = 0.20
    destitute: float = 0.03
    advanced_age: float = 0.25
    disabled: float = 0.06
    phone_consent: float = 0.90
    refused_both: float = 0.01
    unasked: float = 0.002  # neither yes nor no on record: a case each
    shared_phone: float = 0.08  # husband and wife behind one number
    paused: float = 0.01


@dataclass(frozen=True, slots=True)
class County:
    elders: int
    villages: int
    first_elder_id: int


def make_county(
    store: Store,
    elders: int,
    now: datetime,
    seed: int = 7,
    mix: Mix = Mix(),
    progress: Callable[[int], None] | None = None,
) -> County:
    """Fill an empty database. Bulk inserts of BATCH_ELDERS; `progress` gets the elders made so far.

    The same seed gives the same county (ids depend on the database).
    """
    chance = random.Random(seed)
    villages = _areas(store, -(-elders // PER_VILLAGE))
    first_id = 0
    made = 0
    while made < elders:
        batch = list(_elders(chance, made, min(BATCH_ELDERS, elders - made), villages, now.date(), mix))
        with store.begin() as work:
            ids = work.ledger.add_elders(batch)
            work.ledger.add_consents(
                [each for id in ids for each in _consents(chance, id, now - CONSENT_AGE, mix)]
            )
        first_id = first_id or ids[0]
        made += len(batch)
        if progress is not None:
            progress(made)
    return County(elders, len(villages), first_id)


def _areas(store: Store, villages: int) -> list[int]:
    ids: list[int] = []
    with store.begin() as work:
        county = work.areas.add(code="990000000000", name="虚拟县", level="county")
        township_id = county.id
        for number in range(villages):
            at, place = divmod(number, VILLAGES_PER_TOWNSHIP)
            if place == 0:
                code = f"992{at:09d}"
                township_id = work.areas.add(
                    code=code, name=f"第{at + 1}镇", level="township", parent_id=county.id
                ).id
                work.visitors.add(name=f"第{at + 1}镇巡访员", kind="village", area_id=township_id)
            code = f"991{number:09d}"
            village = work.areas.add(
                code=code, name=f"第{number + 1}村", level="village", parent_id=township_id
            )
            ids.append(village.id)
    return ids


def _elders(
    chance: random.Random, start: int, count: int, villages: list[int], today: date, mix: Mix
) -> Iterator[Elder]:
    phone = ""
    for number in range(start, start + count):
        if not phone or chance.random() >= mix.shared_phone:
            phone = f"199{number:08d}"
        shares = (
            (Category.LIVING_ALONE, mix.living_alone),
            (Category.LEFT_BEHIND, mix.left_behind),
            (Category.DESTITUTE, mix.destitute),
            (Category.ADVANCED_AGE, mix.advanced_age),
            (Category.DISABLED, mix.disabled),
        )
        categories = frozenset(category for category, share in shares if chance.random() < share)
        frail = Category.DISABLED in categories
        often = chance.random()
        weekly, monthly = often < mix.weekly, often < mix.weekly + mix.monthly
        sex = chance.choice("FM")
        yield Elder(
            id=0,
            name=chance.choice(SURNAMES) + ("秀英" if sex == "F" else "建国"),
            sex=sex,
            birth_date=today - timedelta(days=chance.randrange(60 * 365, 95 * 365)),
            phone=phone,
            area_id=villages[number % len(villages)],
            categories=categories,
            self_caring=not frail,
            good_health=not frail,
            mode=VisitMode.ON_SITE if frail else VisitMode.PHONE,
            cadence=Cadence.WEEKLY if weekly else Cadence.MONTHLY if monthly else Cadence.QUARTERLY,
            dialplan="weekly_short" if weekly else "monthly_full",
            paused_until=today + timedelta(days=chance.randrange(1, 40))
            if chance.random() < mix.paused
            else None,
            pause_reason=None,
        )


def _consents(chance: random.Random, elder_id: int, at: datetime, mix: Mix) -> Iterator[Consent]:
    drawn = chance.random()
    if drawn < mix.unasked:
        return
    refused = drawn < mix.unasked + mix.refused_both
    phone = not refused and chance.random() < mix.phone_consent
    for purpose, granted in (
        (ConsentPurpose.PHONE_VISIT, phone),
        (ConsentPurpose.ON_SITE_VISIT, not refused),
    ):
        yield Consent(0, elder_id, purpose, granted, at, "paper")
