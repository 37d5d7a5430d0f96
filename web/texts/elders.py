"""Words of the elder page: the state of an elder, and one line for each thing that happened to him."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from storage.model import AuditEntry, Call, Case, Consent, Elder, Verdict, VisitRecord
from storage.model.timeline import Happening
from web.texts import tone
from xunfang.vocabulary import CallDirection, Category, CommandResult, Risk, VisitMode, zh

RELATIONS: Mapping[str, str] = {
    "child": "子女",
    "relative": "亲属",
    "guardian": "监护人",
    "neighbour": "邻居",
    "village": "村(居)",
    "volunteer": "志愿者",
}
# Where somebody at the desk has a consent from; by voice it comes out of a call.
SOURCES: Mapping[str, str] = {"paper": "书面", "visitor": "巡访员当面征求", "phone": "本人来电"}
MOST_REASONS = 3
_ORDER = {category: place for place, category in enumerate(Category)}


def ordered(categories: Iterable[Category]) -> list[Category]:
    return sorted(categories, key=_ORDER.__getitem__)


def visitor_kind(kind: str) -> str:
    return RELATIONS.get(kind, kind)


def source(text: str) -> str:
    """paper · visitor · the call a voice was heard in."""
    if text in SOURCES:
        return SOURCES[text]
    if text.isdigit() or text.startswith(("call:", "voice")):
        return "通话中表示"
    return text or "未注明"


def mode(word: VisitMode) -> str:
    return zh(word)


def risk(word: Risk) -> str:
    return zh(word)


@dataclass(frozen=True, slots=True)
class State:
    text: str
    tone: str
    lapsed: bool = False


def state(elder: Elder, today: date) -> State:
    """A function of what is stored and of the day: a pause that is over needs nobody to end it."""
    if not elder.active:
        return State("停用", "secondary")
    if elder.paused_until is not None and today <= elder.paused_until:
        return State(f"暂停至{elder.paused_until:%m-%d}", "orange")
    if elder.paused_until is not None:
        return State(f"暂停已于{elder.paused_until:%m-%d}到期", "orange", lapsed=True)
    return State("在册", "green")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the timeline. `actor` as the audit has it; empty: nobody in particular."""

    kind: str
    what: str
    tone: str = "secondary"
    more: str = ""
    href: str = ""
    actor: str = ""


def line(happened: Happening, timezone: str) -> Line:
    what = happened.what
    if isinstance(what, Call):
        return _call(what)
    if isinstance(what, VisitRecord):
        reasons = "；".join(what.reasons[:MOST_REASONS])
        return Line("记录", f"{zh(what.mode)}，风险：{zh(what.risk)}", tone(what.risk), reasons)
    if isinstance(what, Case):
        text = f"{zh(what.kind)}（{zh(what.priority)}），{zh(what.status)}"
        return Line("案件", text, tone(what.priority), what.disposition_note, f"/cases/{what.id}")
    if isinstance(what, Verdict):
        return Line("复核", zh(what.verdict), "blue", what.reason, f"/calls/{what.call_id}", what.by)
    if isinstance(what, Consent):
        said = "同意" if what.granted else "不同意"
        return Line(
            "同意", f"{said}{zh(what.purpose)}", "green" if what.granted else "orange", source(what.source)
        )
    return _audited(what)


def _call(call: Call) -> Line:
    how = zh(call.direction) if call.direction is CallDirection.INBOUND else f"第{call.attempt}次拨打"
    if call.disposition is None:
        return Line("通话", f"{how}，正在进行", "blue", href=f"/calls/{call.id}")
    alert = f"，报警：{zh(call.alert)}" if call.alert != "none" else ""
    colour = tone(call.alert) if call.alert != "none" else tone(call.disposition)
    return Line("通话", f"{how}，{zh(call.disposition)}{alert}", colour, href=f"/calls/{call.id}")


def _audited(entry: AuditEntry) -> Line:
    tell = _KINDS.get(entry.kind)
    what, more = tell(entry.detail) if tell else (entry.kind, "")
    return Line("操作", what, more=more, actor=entry.actor)


Detail = Mapping[str, Any]


def _changed(detail: Detail) -> tuple[str, str]:
    fields = detail.get("fields")
    by = "导入台账" if detail.get("by") == "import" else "修改台账"
    if isinstance(fields, Mapping):
        return by, "；".join(f"{title}：{change}" for title, change in fields.items())
    return by, "、".join(str(each) for each in fields or ())


def _plain(text: str, *keys: str) -> Any:
    return lambda detail: (text, "，".join(str(detail[key]) for key in keys if detail.get(key)))


_REVEALED = {
    "phone": "联系电话",
    "elder": "联系电话",
    "other_phone": "备用电话",
    "other": "备用电话",
    "id_card": "公民身份号码",
}


def _revealed(detail: Detail) -> tuple[str, str]:
    whose = str(detail.get("field") or detail.get("whose") or "")
    return "查看完整号码", _REVEALED.get(whose, "联系人电话" if whose.startswith("contact") else "")


def _answered(detail: Detail) -> tuple[str, str]:
    result = str(detail.get("result", ""))
    known = result in set(CommandResult)
    return "拨号机答复", zh(CommandResult(result)) if known else result


_KINDS: Mapping[str, Any] = {
    "elder.created": _plain("录入台账"),
    "elder.added": _plain("录入台账（接口）"),
    "elder.changed": _changed,
    "elder.mode_changed": _plain("改变巡访方式"),
    "elder.paused": _plain("暂停巡访", "reason", "until"),
    "elder.resumed": _plain("恢复巡访", "why"),
    "elder.stopped": _plain("停用", "why"),
    "elder.started": _plain("重新启用", "why"),
    "pause.ended": _plain("暂停到期"),
    "followup.planned": _plain("安排随访"),
    "number.revealed": _revealed,
    "contact.added": _plain("新增联系人"),
    "contact.changed": _plain("修改联系人"),
    "contact.moved": _plain("调整联系人顺序"),
    "plate.issued": _plain("发放门牌"),
    "plate.revoked": _plain("门牌作废", "note"),
    "form.made": _plain("下载记录表"),
    "call.asked": _plain("请求立即拨打"),
    "call.command_answered": _answered,
    "summary.sent": _plain("发送每月小结"),
    "rights.exported": _plain("导出全部个人信息"),
    "rights.erased": _plain("删除个人信息", "grounds"),
    "rights.held": _plain("暂停删除"),
    "rights.released": _plain("解除暂停删除"),
}
