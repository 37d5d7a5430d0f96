"""Words about cases: what a form saw, errors as the console says them, the history with names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from storage import Work
from storage.model import AuditEntry, Case, Notice
from visits import handling, history
from visits.life import Role
from web.pages.cases_filters import number
from web.services import House
from web.texts.times import at
from xunfang.errors import BadInput
from xunfang.vocabulary import CaseStatus, CaseStep, zh

# What was *not* done; told apart on the page.
NOT_DONE = frozenset(
    {
        "no_notice_sent",
        "not_reassigned",
        "visit_not_made",
        "level_skipped",
        "duplicate_suppressed",
        "visitor_silent",
    }
)
_ABOUT = {
    "case.opened": "立案",
    "case.merged": "新情况",
    "case.assign": "分派",
    "case.refuse": "推辞",
    "case.refer": "转介",
    "case.released": "不用再去",
    "case.reminded": "催办",
    "case.escalated": "升级",
}
_FOR_TERMINALS = re.compile(r"（(?:xunfang [^）]*|[a-z_]+|--[a-z]+)）")
_OPTION = re.compile(r"请用 --note ")
_SUPERVISOR = f"{Role.SUPERVISOR.value}:"


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    who: str
    text: str
    not_done: bool


# ---- what a form saw -----------------------------------------------------------------------------


def seen_text(case: Case) -> str:
    """`assigned:3`: travels with a form, so that who acts on an old page is told so."""
    return f"{case.status.value}:{case.visitor_id or ''}"


def seen_as(case: Case, text: str) -> Case:
    """The case as the sender of the form saw it. BadInput when that is nothing we wrote."""
    status, _, visitor = text.partition(":")
    if status not in set(CaseStatus) or (visitor and number(visitor) is None):
        raise BadInput("页面内容不完整，请刷新后再试")
    was = CaseStatus(status)
    closed_at = case.closed_at if was is CaseStatus.CLOSED else None
    return replace(case, status=was, visitor_id=number(visitor), closed_at=closed_at)


# ---- errors --------------------------------------------------------------------------------------


def in_chinese(error: Exception) -> str:
    """Without the names of commands and options, which help nobody in a browser."""
    return _OPTION.sub("请", _FOR_TERMINALS.sub("", str(error)))


def who_won(work: Work, case: Case, house: House) -> str:
    """杜督导（du）已于11-23 09:10办结，案件现为“已办结”; empty when nobody has done anything."""
    last = handling.last_step(work, case)
    if last is None:
        return ""
    names = Names(work, [last])
    step = zh(CaseStep(last.kind.removeprefix("case.")))
    when = at(last.at, house.config.zone)
    return f"{names.actor(last.actor)}已于{when}{step}，案件现为“{zh(case.status)}”"


# ---- history -------------------------------------------------------------------------------------


class Names:
    """Of all people in these entries: two statements."""

    def __init__(self, work: Work, entries: Sequence[AuditEntry], notices: Sequence[Notice] = ()) -> None:
        targets = [str(each) for entry in entries for each in _list(entry.detail.get("told"))]
        targets += [str(each.detail.get("to", "")) for each in entries]
        targets += [each.to for each in notices] + [each.actor for each in entries]
        visitors = {number(each.removeprefix("visitor:")) for each in targets if each.startswith("visitor:")}
        for each in entries:
            visitors |= {
                id for key in ("visitor_id", "instead_of") if isinstance(id := each.detail.get(key), int)
            }
        logins = {each.removeprefix(_SUPERVISOR) for each in targets if each.startswith(_SUPERVISOR)}
        self._visitors = work.case_lists.visitor_names({id for id in visitors if id is not None})
        self._accounts = work.case_lists.account_names(logins)

    def visitor(self, id: int) -> str:
        return self._visitors.get(id, "")

    def actor(self, text: str) -> str:
        login = text.removeprefix(_SUPERVISOR)
        if login != text and login in self._accounts:
            return f"{self._accounts[login]}（{login}）"
        return history.actor(text, self.visitor)


def timeline(work: Work, case: Case, house: House) -> list[Line]:
    """Everything done and not done, notices with what became of them; newest first."""
    entries = work.audit.of(handling.subject(case))
    notices = work.notices.of_case(case.id)
    names = Names(work, entries, notices)
    timezone = house.config.timezone
    lines = [
        Line(
            each.at,
            names.actor(each.actor),
            history.sentence(each.kind, each.detail, names.visitor, timezone, each.actor),
            each.kind in NOT_DONE,
        )
        for each in entries
    ]
    lines += [
        Line(
            each.created_at,
            "系统",
            _notice(each, names, house),
            each.sent_at is None and bool(each.last_error),
        )
        for each in notices
        if each.created_at is not None
    ]
    lines.sort(key=lambda line: line.at)  # stable: of one moment, in the order in which it was written
    return lines[::-1]


def _notice(notice: Notice, names: Names, house: House) -> str:
    to = f"{history.target(notice.to, names.visitor)}（{_ABOUT.get(notice.kind, '情况')}）"
    if notice.sent_at is not None:
        return f"通知{to}：{at(notice.sent_at, house.config.zone)}发出"
    if notice.last_error:
        again = f"，{at(notice.next_at, house.config.zone)}再试" if notice.next_at else ""
        return f"通知{to}：还没有发出，{history.because(notice.last_error)}{again}"
    return f"通知{to}：等待发出"


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
