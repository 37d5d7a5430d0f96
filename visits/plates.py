"""门牌: the QR at an elder's door. It says no name: a number and a signature, /v/7-9f3c…

`check` tells a right one from a forged, an unknown and a revoked one; whoever asks writes the audit.
An elder has one valid plate: printed again it is the same; a lost one is replaced, and the old one
opens nothing any more. Whoever scans must be signed in besides: a photo of it is of no use to a stranger.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from storage.model import Plate
from xunfang.errors import BadInput, NotFound

if TYPE_CHECKING:
    from storage import Work

ISSUED, WITHDRAWN = "plate.issued", "plate.revoked"  # kinds of the audit
WHY_CHARS = 200
FORGED, UNKNOWN, REVOKED = "forged", "unknown", "revoked"
WORDS = {
    FORGED: "这个二维码不是本系统发放的门牌，或已损坏。",
    UNKNOWN: "这块门牌已不在登记中。",
    REVOKED: "这块门牌已经作废，请使用新发放的门牌。",
}
_CODE = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{20})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PlateCheck:
    elder_id: int | None
    why: str = ""  # one of WORDS, when it opens nothing
    plate_id: int | None = None


def issue(work: Work, elder_id: int, actor: str, now: datetime) -> Plate:
    """The valid plate of this elder; a new one when there is none."""
    if work.elders.get(elder_id) is None:
        raise NotFound("没有这位老人")
    issue_all(work, [elder_id], actor, now)
    return work.plates.valid([elder_id])[elder_id]


def issue_all(work: Work, elder_ids: Sequence[int], actor: str, now: datetime) -> list[Plate]:
    """For those of a village who have none: the new ones."""
    new = work.plates.add(elder_ids, actor, now)
    entries = [(ISSUED, f"elder:{plate.elder_id}", {"plate_id": plate.id}) for plate in new]
    work.ledger.write_audit(now, actor, entries)
    return new


def replace(work: Work, elder_id: int, actor: str, why: str, now: datetime) -> Plate:
    """A new plate for a lost or damaged one, which is revoked."""
    old = work.plates.valid([elder_id]).get(elder_id)
    if old is not None:
        revoke(work, old.id, actor, why, now)
    return issue(work, elder_id, actor, now)


def check(work: Work, code: str, now: datetime) -> PlateCheck:
    found = _CODE.fullmatch(code)
    if found is None:
        return PlateCheck(None, FORGED)
    plate = work.plates.get(int(found[1]))
    if plate is None:
        return PlateCheck(None, UNKNOWN if work.plates.is_signed(found[1], found[2]) else FORGED)
    if not hmac.compare_digest(plate.signature, found[2]):
        return PlateCheck(None, FORGED)
    if plate.revoked_at is not None and plate.revoked_at <= now:
        return PlateCheck(None, REVOKED, plate.id)
    return PlateCheck(plate.elder_id, plate_id=plate.id)


def revoke(work: Work, plate_id: int, actor: str, why: str, now: datetime) -> None:
    plate = work.plates.get(plate_id)
    if plate is None:
        raise NotFound("没有这块门牌")
    if not why.strip() or len(why) > WHY_CHARS:
        raise BadInput(f"作废门牌须写明原因，最多{WHY_CHARS}个字")
    if work.plates.revoke(plate_id, actor, why.strip(), now):
        detail = {"plate_id": plate_id, "note": why.strip()}
        work.audit.write(now, actor, WITHDRAWN, f"elder:{plate.elder_id}", detail)
