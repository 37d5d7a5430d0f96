"""At the door: who may open the record.

It opens by the plate (a signed code, and a position not too far from the house where both are known) or
with a stated reason, which the supervisor reads. The form that is filled in there: visits.door_forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from storage.model import Case, DoorEntry
from visits import handling, plates, timebank
from visits.life import Actor, Role
from xunfang.errors import BadInput

if TYPE_CHECKING:
    from storage import Work

ENTERED, REFUSED = "door.entered", "plate.refused"  # kinds of the audit
ENTRY_HOLDS = timedelta(hours=12)  # a record once opened stays open so long for this visitor
LEARN_WITHIN_M = 50.0  # a position at least so accurate, taken at the plate, is where the house stands
WHY_CHARS = 200
LEAST_WHY = 4  # letters: "没牌" says nothing to a supervisor
EARTH_M = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Rules:
    timebank: timebank.Rules
    radius_m: int = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """What a telephone says of where it is. `accuracy_m`: radius of 68 % (W3C Geolocation)."""

    code: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float = 0.0
    why: str = field(default="", repr=False)


class ReasonNeeded(BadInput):
    """The plate did not open the record: it opens with a reason."""


# ---- opening the record ----------------------------------------------------------------------------


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Along the great circle (haversine); degrees in, metres out."""
    (lat_1, lon_1), (lat_2, lon_2) = (tuple(math.radians(each) for each in point) for point in (one, other))
    half = math.sin((lat_2 - lat_1) / 2) ** 2
    half += math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def doubt(scanned: bool, away_m: float | None, accuracy_m: float, radius_m: int) -> str:
    """Why the plate alone does not open it; empty: it does. An inaccurate position accuses nobody."""
    if not scanned:
        return "没有扫描门牌"
    if away_m is not None and away_m - accuracy_m > radius_m:
        return f"手机位置距老人家约{round(away_m)}米，超过{radius_m}米"
    return ""


def enter(work: Work, case: Case, visitor_id: int, claim: Claim, now: datetime, rules: Rules) -> DoorEntry:
    """Raises ReasonNeeded when the plate does not open it and no reason is given."""
    checked = plates.check(work, claim.code, now) if claim.code else None
    scanned = checked is not None and checked.elder_id == case.elder_id
    away = _away(work, case.elder_id, claim)
    doubtful = doubt(scanned, away, claim.accuracy_m, rules.radius_m)
    if checked is not None and not scanned:
        doubtful = plates.WORDS.get(checked.why, "这是另一户的门牌")
    why = claim.why.strip()
    if doubtful and len(why) < LEAST_WHY:
        raise ReasonNeeded(f"{doubtful}；请写明原因（至少{LEAST_WHY}个字）再打开记录")
    if len(why) > WHY_CHARS:
        raise BadInput(f"原因最多{WHY_CHARS}个字")
    entry = work.doorstep.enter(
        case_id=case.id,
        elder_id=case.elder_id,
        visitor_id=visitor_id,
        at=now,
        scanned=scanned,
        distance_m=None if away is None else round(away),
        why=f"{doubtful}：{why}" if doubtful else "",
    )
    actor = str(actor_of(visitor_id))
    detail: dict[str, Any] = {"visitor_id": visitor_id, "scanned": scanned, "distance_m": entry.distance_m}
    if doubtful:
        detail["note"] = entry.why
    work.audit.write(now, actor, ENTERED, handling.subject(case), detail)
    if checked is not None and checked.elder_id is None:
        refuse_plate(work, actor, checked, now)
    if scanned and away is None:
        _learn_place(work, case.elder_id, claim, actor, now)
    return entry


def refuse_plate(work: Work, actor: str, checked: plates.PlateCheck, now: datetime) -> None:
    detail = {"because": checked.why, "plate_id": checked.plate_id}
    work.audit.write(now, actor, REFUSED, f"plate:{checked.plate_id or 0}", detail)


def forget_place(work: Work, elder_id: int, actor: str, now: datetime) -> bool:
    """It was learnt at the wrong door: the next scan teaches it anew."""
    forgotten = work.doorstep.forget_place(elder_id)
    if forgotten:
        work.audit.write(now, actor, "place.forgotten", f"elder:{elder_id}", {})
    return forgotten


def _away(work: Work, elder_id: int, claim: Claim) -> float | None:
    if claim.latitude is None or claim.longitude is None:
        return None
    place = work.doorstep.place(elder_id)
    return None if place is None else distance_m(place, (claim.latitude, claim.longitude))


def _learn_place(work: Work, elder_id: int, claim: Claim, actor: str, now: datetime) -> None:
    if claim.latitude is None or claim.longitude is None or not 0 < claim.accuracy_m <= LEARN_WITHIN_M:
        return
    work.doorstep.set_place(elder_id, claim.latitude, claim.longitude, actor, now)
    work.audit.write(now, actor, "place.learnt", f"elder:{elder_id}", {"accuracy_m": round(claim.accuracy_m)})


def actor_of(visitor_id: int) -> Actor:
    return Actor(Role.VISITOR, str(visitor_id))
