"""Changes to the ledger's fields of one elder.

Of two who edit at once nothing is lost: the form carries, sealed, what its author saw. Only what he
changed is written; where somebody else changed the same field meanwhile, he is shown both and decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.repository_ledger import LedgerEntry
from web.access import Desk
from web.forms import Fields, Posted
from web.ledger import LedgerDesk
from web.pages.elders import entry_of
from web.services import House, Services
from web.texts.elders import RELATIONS
from xunfang.errors import BadInput, NotFound, StorageError
from xunfang.log import mask
from xunfang.vocabulary import Cadence, Category, VisitMode, zh

CHANGED = "elder.changed"
NUMBERS = ("phone", "other_phone", "id_card", "visitor.phone")  # not shown in the form; blank: unchanged
TEXTS = ("name", "birth_date", "area_code", "address", "windows", "note", "visitor.name")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "sex": ("女", "男"),
    "self_caring": ("能", "否"),
    "good_health": ("是", "否"),
    "mode": tuple(zh(each) for each in VisitMode),
    "cadence": tuple(zh(each) for each in Cadence),
    "visitor.relation": ("", *RELATIONS.values()),
}
KEYS = (*TEXTS, *NUMBERS, *CHOICES, "categories")
router = APIRouter()


def ledger_desk(services: House) -> LedgerDesk:
    if services.config.ledger is None:
        raise NotFound("这里不能修改台账")
    return services.config.ledger


@router.get("/elders/{elder_id:int}/edit")
def edit(request: Request, viewer: Desk, services: Services, elder_id: int) -> Response:
    with services.store.read() as work:
        entry = entry_of(work, viewer, elder_id)
        now = _full(work, services, entry)
    return _form(request, services, entry, now, now)


@router.post("/elders/{elder_id:int}/edit")
def save(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    typed = _typed(fields)
    seen = _seen(services, fields, elder_id)
    with services.store.begin() as work:
        entry = entry_of(work, viewer, elder_id)
        current = _full(work, services, entry)
        changed = {key: typed[key] for key in KEYS if _differs(key, typed[key], seen[key])}
        clashing = [key for key in changed if current[key] not in (seen[key], typed[key])]
        new = {key: text for key, text in changed.items() if text != current[key]}
        if any(key.startswith("visitor.") for key in new):
            new["visitor.name"] = typed["visitor.name"]  # the ledger knows visitors by their names
        made = ledger_desk(services).edit(work, entry, new, services.now(), services.config.zone)
        errors = dict(made.errors)
        area_id = made.elder.get("area_id")
        if area_id is not None and not viewer.sees(work, area_id):
            errors["area_code"] = "不在您的管辖范围内"
        slow = fields.flag("hard_of_hearing")
        if not errors and not clashing:
            said = dict(made.said)
            made.write(work)
            if slow != (seen["hard_of_hearing"] == "是") and slow != entry.elder.hard_of_hearing:
                work.elders.update(elder_id, hard_of_hearing=slow)
                said["听力不好"] = "否→是" if slow else "是→否"
            if said:
                detail = {"by": "console", "fields": said}
                work.audit.write(services.now(), str(viewer.actor), CHANGED, f"elder:{elder_id}", detail)
    if errors or clashing:
        return _form(
            request,
            services,
            entry,
            current,
            _again(typed, changed, current) | {"hard_of_hearing": "是" if slow else "否"},
            errors=errors,
            clashing={key: _shown(key, current[key]) for key in clashing},
            status=422 if errors else 409,
        )
    told = f"已保存：{'、'.join(said)}" if said else "没有改动"
    if made.warnings:
        told += "。请留意：" + "；".join(made.warnings)
    return services.render.redirect(
        request, f"/elders/{elder_id}", told, "warning" if made.warnings else "success"
    )


def _typed(fields: Fields) -> dict[str, str]:
    chosen = set(fields.all("categories"))
    categories = "、".join(zh(each) for each in Category if each.value in chosen)
    return {key: fields.raw(key) for key in KEYS if key != "categories"} | {"categories": categories}


def _differs(key: str, typed: str, seen: str) -> bool:
    return typed != seen and not (key in NUMBERS and not typed)


def _again(
    typed: Mapping[str, str], changed: Mapping[str, str], current: Mapping[str, str]
) -> dict[str, str]:
    """What he changed as he typed it, the rest as it is by now: else his next try would undo others' work."""
    return {key: typed[key] if key in changed or key in NUMBERS else current[key] for key in KEYS}


def _full(work: Work, services: House, entry: LedgerEntry) -> dict[str, str]:
    """The elder as text by column, numbers in full: only ever compared and sealed."""
    areas = [] if entry.elder.area_id is None else work.areas.path(entry.elder.area_id)
    cells = ledger_desk(services).cells(entry, areas, services.config.zone, True)
    found = {key: cells.get(key, "") for key in KEYS}
    return found | {"hard_of_hearing": "是" if entry.elder.hard_of_hearing else "否"}


def _seal(services: House, elder_id: int, cells: Mapping[str, str]) -> str:
    return services.store.vault.encrypt(json.dumps([elder_id, dict(cells)], ensure_ascii=False))


def _seen(services: House, fields: Fields, elder_id: int) -> dict[str, str]:
    try:
        whose, cells = json.loads(services.store.vault.decrypt(fields.raw("seen")))
    except (StorageError, ValueError):
        raise BadInput("表单不完整，请重新打开修改页面") from None
    if whose != elder_id:
        raise BadInput("表单不是这位老人的，请重新打开修改页面")
    return {key: str(cells.get(key, "")) for key in (*KEYS, "hard_of_hearing")}


def _shown(key: str, text: str) -> str:
    return mask(text) if key in NUMBERS and text else text


def _form(
    request: Request,
    services: House,
    entry: LedgerEntry,
    current: Mapping[str, str],
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    clashing: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """`current` becomes what the author has seen: sending again after a clash writes his words knowingly."""
    fresh = status == 200
    desk = ledger_desk(services)
    return services.render.page(
        request,
        "elders/edit.html",
        status=status,
        elder=entry.elder,
        values={key: "" if fresh and key in NUMBERS else values[key] for key in values},
        hints={key: _shown(key, current[key]) for key in NUMBERS},
        chosen=set(values["categories"].split("、")),
        choices=CHOICES,
        categories=Category,
        title=desk.title,
        errors=errors or {},
        clashing=clashing or {},
        seen=_seal(services, entry.elder.id, current),
    )
