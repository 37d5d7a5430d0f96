"""The life of a case (上门任务). Pure: a case and an order in, the case as it becomes out.

          assign           accept           start             visited          close
    OPEN ────────► ASSIGNED ──────► ACCEPTED ──────► ON_THE_WAY ──────► VISITED ──────► CLOSED
     ▲  refuse         │                │                │
     └─────────────────┴────────────────┴────────────────┘
    each of them ── refer ──► REFERRED ──► visited, refer again, assign again, or close

A case that was just opened has a proposed visitor who is told of it: he may accept or refuse it
without being assigned (认领). Reassigning (改派) is `assign` once more, from any state. A
supervisor may take every step on behalf of a visitor who tells him by telephone, and close from
any state (a false alarm is cleared by ear); a visitor only steps of his own case, and closes only
what he has visited. The system only assigns. Nothing closes itself, with one exception: an elder
who rings back closes the case of his missed calls, as long as nobody is on the way to him. A
later call that gives a new reason opens a VISITED or REFERRED case again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from storage.model import Case
from xunfang.errors import BadInput, Conflict
from xunfang.vocabulary import CaseStatus, CaseStep, ReferTo, ReportCategory, zh


class Role(StrEnum):
    """Who acts, as the audit spells it: `visitor:3`, `user:zhang`, `elder:5`, `system`."""

    VISITOR = "visitor"
    SUPERVISOR = "user"
    ELDER = "elder"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    role: Role
    id: str = ""

    def __str__(self) -> str:
        return f"{self.role.value}:{self.id}" if self.id else self.role.value

    @property
    def visitor_id(self) -> int | None:
        return int(self.id) if self.role is Role.VISITOR else None


def parse_actor(text: str) -> Actor:
    """`visitor:3` is a visitor; `user:zhang`, or just `zhang`, works at the desk (督导)."""
    role, colon, id = text.strip().partition(":")
    if not colon:
        role, id = Role.SUPERVISOR.value, role
    id = id.strip()
    known = role in (Role.VISITOR, Role.SUPERVISOR)
    if not known or not id or (role == Role.VISITOR and not (id.isascii() and id.isdigit())):
        raise BadInput(f"不明白“{text}”是谁：巡访员写 visitor:编号，督导写 user:名字 或名字")
    actor = Actor(Role(role), id)
    if len(str(actor)) > ACTOR_CHARS:
        raise BadInput(f"操作人的名字太长：最多{ACTOR_CHARS}个字符")
    return actor


def actor_zh(actor: str) -> str:
    """Without names: errors must not hold any."""
    role, _, id = actor.partition(":")
    if role == Role.VISITOR:
        return f"巡访员{id}"
    if role == Role.SUPERVISOR:
        return f"督导{id}"
    return {"system": "系统", "elder": "老人本人"}.get(role, actor)


SYSTEM = Actor(Role.SYSTEM)
ACTOR_CHARS = 64  # the audit's column
WHY_CHARS = 200  # Case.visitor_why


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to do. `note`: 处置情况, the reason, or why this visitor."""

    step: CaseStep
    actor: Actor
    note: str = field(default="", repr=False)
    visitor_id: int | None = None  # ASSIGN
    to: ReferTo | None = None  # REFER
    category: ReportCategory | None = None  # REFER


_S = CaseStatus
UNDER_WAY = frozenset({_S.ASSIGNED, _S.ACCEPTED, _S.ON_THE_WAY})
STILL_OPEN = frozenset(_S) - {_S.CLOSED}
SEEN_TO = frozenset({_S.VISITED, _S.REFERRED})  # nobody is about to go
UNACCEPTED = frozenset({_S.OPEN, _S.ASSIGNED})

LEADS_TO: Mapping[CaseStep, CaseStatus] = {
    CaseStep.ASSIGN: _S.ASSIGNED,
    CaseStep.ACCEPT: _S.ACCEPTED,
    CaseStep.REFUSE: _S.OPEN,
    CaseStep.START: _S.ON_THE_WAY,
    CaseStep.VISITED: _S.VISITED,
    CaseStep.REFER: _S.REFERRED,
    CaseStep.CLOSE: _S.CLOSED,
}

_BOTH = (Role.VISITOR, Role.SUPERVISOR)
# Who may do what, and from which states.
MAY: Mapping[CaseStep, Mapping[Role, frozenset[CaseStatus]]] = {
    CaseStep.ASSIGN: {Role.SUPERVISOR: STILL_OPEN, Role.SYSTEM: UNACCEPTED},
    CaseStep.ACCEPT: dict.fromkeys(_BOTH, UNACCEPTED),
    CaseStep.REFUSE: dict.fromkeys(_BOTH, frozenset({_S.OPEN, *UNDER_WAY})),
    CaseStep.START: dict.fromkeys(_BOTH, frozenset({_S.ACCEPTED})),
    CaseStep.VISITED: dict.fromkeys(_BOTH, frozenset({_S.ACCEPTED, _S.ON_THE_WAY, _S.REFERRED})),
    CaseStep.REFER: dict.fromkeys(_BOTH, STILL_OPEN),
    CaseStep.CLOSE: {
        Role.VISITOR: frozenset({_S.VISITED}),
        Role.SUPERVISOR: STILL_OPEN,
        Role.ELDER: frozenset({_S.OPEN, _S.ASSIGNED, _S.ACCEPTED}),
    },
}

_NEEDS_NOTE: Mapping[CaseStep, str] = {
    CaseStep.CLOSE: "办结必须写明处置情况：请用 --note 说明做了什么、老人情况如何",
    CaseStep.REFUSE: "推辞必须说明原因：请用 --note 写明为什么不能去",
}


def steps_for(status: CaseStatus, role: Role) -> tuple[CaseStep, ...]:
    """What this role may do now; for messages, buttons and menus."""
    return tuple(step for step in CaseStep if status in MAY[step].get(role, ()))


def take(case: Case, order: Order, now: datetime) -> Case:
    """The case after the step. Conflict when its state or owner does not allow it, BadInput when
    something is missing from the order. Messages are Chinese and hold no names."""
    step, actor = order.step, order.actor
    if case.status not in MAY[step].get(actor.role, ()):
        raise Conflict(_not_allowed(case, step, actor.role))
    if actor.role is Role.VISITOR:
        _require_own(case, step, actor)
    if step in _NEEDS_NOTE and not order.note.strip():
        raise BadInput(f"案件{case.id}：{_NEEDS_NOTE[step]}")
    becomes = replace(_began(case, order, now), status=LEADS_TO[step])
    match step:
        case CaseStep.ASSIGN:
            return _assigned(case, becomes, order)
        case CaseStep.ACCEPT:
            return replace(becomes, visitor_id=_who_goes(case, order))
        case CaseStep.REFUSE:
            gone = _who_goes(case, order)
            return replace(becomes, visitor_id=None, visitor_why="", asked=also(case.asked, gone))
        case CaseStep.VISITED:
            return replace(becomes, visited_at=now)
        case CaseStep.REFER:
            return _referred(case, becomes, order)
        case CaseStep.CLOSE:
            return replace(becomes, disposition_note=order.note.strip(), closed_at=now)
    return becomes


def opened_again(case: Case, now: datetime) -> Case:
    """What a later call brought to light after the visit or the referral: OPEN, with the same visitor
    proposed and a new clock. The only step that is nobody's order: service.open_case takes it."""
    clean = replace(case, since=now, reminded_at=None, level=None, level_since=None, visited_at=None)
    return replace(clean, status=CaseStatus.OPEN)


def also(asked: tuple[int, ...], visitor_id: int) -> tuple[int, ...]:
    return asked if visitor_id in asked else (*asked, visitor_id)


def _began(case: Case, order: Order, now: datetime) -> Case:
    """A new status has a new clock. What a human did also ends the ringing of higher levels; a
    refusal, and the system's own reassigning, do not: nobody has come nearer to the elder."""
    if order.step is CaseStep.REFUSE or order.actor.role is Role.SYSTEM:
        return replace(case, since=now, reminded_at=None)
    return replace(case, since=now, reminded_at=None, level=None, level_since=None)


def _assigned(case: Case, becomes: Case, order: Order) -> Case:
    if order.visitor_id is None:
        raise BadInput(f"案件{case.id}：分派必须指明巡访员")
    if order.visitor_id == case.visitor_id and case.status in UNDER_WAY:
        raise Conflict(f"案件{case.id}已经由巡访员{order.visitor_id}负责，现为“{zh(case.status)}”")
    why = order.note.strip() or "由督导指派"
    if len(why) > WHY_CHARS:
        raise BadInput(f"案件{case.id}：分派说明最多{WHY_CHARS}字")
    return replace(becomes, visitor_id=order.visitor_id, visitor_why=why)


def _referred(case: Case, becomes: Case, order: Order) -> Case:
    if order.to is None or order.category is None:
        raise BadInput(f"案件{case.id}：转介必须写明转给谁（--to）和报告类别（--category）")
    if order.category is ReportCategory.OTHER and not order.note.strip():
        raise BadInput(f"案件{case.id}：报告类别为“其他情况”时，请用 --note 写明是什么情况")
    return replace(becomes, referred_to=order.to, report_category=order.category)


def _who_goes(case: Case, order: Order) -> int:
    visitor_id = case.visitor_id if order.actor.visitor_id is None else order.actor.visitor_id
    if visitor_id is None:
        raise Conflict(f"案件{case.id}还没有巡访员：请先分派（xunfang cases assign {case.id} 巡访员编号）")
    return visitor_id


def _require_own(case: Case, step: CaseStep, actor: Actor) -> None:
    """A visitor acts on his own case; accepting an unassigned one makes it his (认领)."""
    if case.visitor_id == actor.visitor_id:
        return
    if step is CaseStep.ACCEPT and case.status is CaseStatus.OPEN:
        return
    whose = "没有分派给任何人" if case.visitor_id is None else f"由巡访员{case.visitor_id}负责"
    raise Conflict(f"案件{case.id}{whose}，巡访员{actor.visitor_id}不能{zh(step)}")


def _not_allowed(case: Case, step: CaseStep, role: Role) -> str:
    allowed = "、".join(f"{zh(each)}（{each.value}）" for each in steps_for(case.status, role))
    message = f"案件{case.id}现为“{zh(case.status)}”，不能{zh(step)}"
    return f"{message}；现在可以：{allowed}" if allowed else message
