"""The history of a case in Chinese sentences: audit kind → what happened. Unknown kinds are shown as
they are: a line that nobody can read is better than one that is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from ivr.dialogue.screening import told
from visits.life import Role, actor_zh
from xunfang.vocabulary import (
    CallDisposition,
    CaseKind,
    CaseLevel,
    CaseStatus,
    DoorOutcome,
    DutyOutcome,
    Priority,
    ReferTo,
    ReportCategory,
    ReviewVerdict,
    zh,
)

Detail = Mapping[str, Any]
NameOf = Callable[[int], str]  # visitor id -> name; "" when there is no such visitor

_BECAUSE: Mapping[str, str] = {
    "merged into a case that is already as grave and as urgent": "案件级别和类别未变",
    "no apprise URL is configured (notices.apprise)": "没有配置值班通知渠道（notices.apprise）",
    "no webhook is configured (notices.webhook)": "没有配置对接系统（notices.webhook）",
    "the endpoint was removed": "推送地址已移除",
    "no message service for persons is configured": "没有配置短信渠道（notices.person）",
    "the person has no telephone number": "没有登记电话号码",
    "apprise could not deliver": "通知渠道发送失败",
    "the elder has not agreed that his family is told": "老人没有同意通知家属",
    "the elder has not agreed that this contact is told": "老人没有同意告知此人",
    "the contact has no telephone number": "没有登记号码",
    "the contact has the elder's own number": "登记的是老人自己的号码",
    "the contact asked not to be called by a machine": "此人要求不再接到自动电话",
    "no contact is left to be called": "没有别的联系人可以拨打",
    "the case has been seen to": "已有人上门或已办结",
    "no contact could be called in time": "未能及时拨打",
    "the elder is known to be away": "老人已登记外出或住院",
    "the elder is not in the ledger any more": "老人已不在台账中",
    "somebody has taken the case": "已有人接手，不再通知",
    "another contact has answered": "已有联系人回应，不再通知",
    "the contact was told anew": "已另行通知",
    "nobody is registered there": "该级没有登记人员或电话",
    "everybody near was asked": "附近的巡访员都已问过",
    "nobody is left to go": "没有人可以上门",
    "not accepted in time": "逾期无人接受",
    "not done in time": "逾期未办",
}
_WEBHOOK_ANSWERED = re.compile(r"webhook answered (\d+)")
_WEBHOOK_LOST = re.compile(r"webhook not reached: (\w+)")


def sentence(kind: str, detail: Detail, name_of: NameOf, timezone: str, actor: str = "") -> str:
    """What happened, without when and who (`actor`, as the audit has it, is named beside the sentence)."""
    tell = _SENTENCES.get(kind)
    if tell is None:
        return f"{kind} {json.dumps(dict(detail), ensure_ascii=False)}" if detail else kind
    return tell(detail, _Words(name_of, timezone, actor))


def actor(text: str, name_of: NameOf) -> str:
    """Who did it, with the visitor's name: for the screen of a supervisor, not for messages."""
    role, _, id = text.partition(":")
    if role == Role.VISITOR and id.isdigit():
        return _Words(name_of, "", "").visitor(int(id))
    return actor_zh(text)


def target(to: str, name_of: NameOf) -> str:
    """To whom a notice goes."""
    return _Words(name_of, "", "").target(to)


class _Words:
    def __init__(self, name_of: NameOf, timezone: str, actor: str) -> None:
        self._name_of = name_of
        self._timezone = timezone
        self._actor = actor

    def visitor(self, id: object) -> str:
        if not isinstance(id, int):
            return "未定"
        return f"巡访员{self._name_of(id)}（{id}）" if self._name_of(id) else f"巡访员{id}"

    def doer(self, detail: Detail) -> str:
        """The visitor, unless he is named beside the sentence already."""
        id = detail.get("visitor_id")
        return "" if self._actor == f"{Role.VISITOR.value}:{id}" else self.visitor(id)

    def target(self, to: object) -> str:
        role, _, id = str(to).partition(":")
        if role == "visitor" and id.isdigit():
            return self.visitor(int(id))
        plain = {"duty": "值班台", "webhook": "对接系统", "contact": "紧急联系人", "area": "当地值守电话"}
        return plain.get(role, str(to))

    def targets(self, to: object) -> str:
        return "、".join(self.target(each) for each in to) if isinstance(to, list | tuple) else ""

    def local(self, moment: object) -> str:
        try:
            at = datetime.fromisoformat(str(moment))
        except ValueError:
            return str(moment)
        return f"{at.astimezone(ZoneInfo(self._timezone)):%m-%d %H:%M}"


def _word(words: type[StrEnum], value: object) -> str:
    known = {each.value: each for each in words}
    return zh(known[value]) if isinstance(value, str) and value in known else str(value or "未知")


def because(text: object) -> str:
    known = _BECAUSE.get(str(text))
    if known is not None:
        return known
    if answered := _WEBHOOK_ANSWERED.fullmatch(str(text)):
        return f"对接系统返回{answered[1]}"
    if lost := _WEBHOOK_LOST.fullmatch(str(text)):
        return f"对接系统连不上（{lost[1]}）"
    return str(text)


def _opened(detail: Detail, words: _Words) -> str:
    kind, priority = _word(CaseKind, detail.get("kind")), _word(Priority, detail.get("priority"))
    visitor = detail.get("visitor_id")
    who = "尚无人选" if visitor is None else f"拟由{words.visitor(visitor)}上门"
    return f"立案：{kind}，{priority}；{who}{_call(detail)}"


def _merged(detail: Detail, words: _Words) -> str:
    kind = _word(CaseKind, detail.get("kind"))
    was, now = _word(Priority, detail.get("from")), _word(Priority, detail.get("to"))
    level = f"级别仍为{now}" if was == now else f"级别由{was}提为{now}"
    return f"并入新情况：{kind}；{level}，期限{words.local(detail.get('deadline'))}{_call(detail)}"


def _verdict(detail: Detail, words: _Words) -> str:
    what = _word(ReviewVerdict, detail.get("verdict"))
    before = f"（原判{_word(ReviewVerdict, detail['from'])}）" if detail.get("from") else ""
    where = f"通话{detail.get('call_id')}第{detail.get('turn')}句"
    closes = "；案件仍须填写处置情况后办结" if detail.get("verdict") == ReviewVerdict.FALSE_ALARM else ""
    return f"听录音复核{where}：{what}{before}{_note(detail)}{closes}"


def _suppressed(detail: Detail, words: _Words) -> str:
    return f"重复情况未再记入：{_word(CaseKind, detail.get('kind'))}{_call(detail)}"


def _reopened(detail: Detail, words: _Words) -> str:
    return f"{_word(CaseStatus, detail.get('from'))}后又有新情况，重新待办"


def _not_told(detail: Detail, words: _Words) -> str:
    to = f"（{words.target(detail['to'])}）" if detail.get("to") else ""
    return f"通知未发出{to}：{because(detail.get('because'))}"


def _contact_answered(detail: Detail, words: _Words) -> str:
    return f"紧急联系人（{detail.get('contact_id')}）已告知老人情况"


def _contact_called(detail: Detail, words: _Words) -> str:
    outcome = str(detail.get("outcome"))
    known = {"yes": "说能联系上老人", "no": "说联系不上老人", "unclear": "没有说清", "stop": "要求不再拨打"}
    ended = known.get(outcome) or _word(CallDisposition, outcome)
    return f"已拨打紧急联系人（{detail.get('contact_id')}）：{ended}{_call(detail)}"


def _contact_not_called(detail: Detail, words: _Words) -> str:
    who = f"（{detail['contact_id']}）" if detail.get("contact_id") is not None else ""
    return f"没有拨打紧急联系人{who}：{because(detail.get('because'))}"


def _assigned(detail: Detail, words: _Words) -> str:
    instead = detail.get("instead_of")
    how = "分派给" if instead is None else f"由{words.visitor(instead)}改派给"
    return f"{how}{words.visitor(detail.get('visitor_id'))}{_note(detail)}"


def _accepted(detail: Detail, words: _Words) -> str:
    return f"{words.doer(detail)}接受任务{_note(detail)}"


def _refused(detail: Detail, words: _Words) -> str:
    return f"{words.doer(detail)}推辞{_note(detail)}"


def _started(detail: Detail, words: _Words) -> str:
    return f"{words.doer(detail)}已出发{_note(detail)}"


def _visited(detail: Detail, words: _Words) -> str:
    return f"{words.doer(detail)}已上门{_note(detail)}"


def _referred(detail: Detail, words: _Words) -> str:
    to, category = _word(ReferTo, detail.get("referred_to")), _word(ReportCategory, detail.get("category"))
    return f"转介{to}，报告类别：{category}{_note(detail)}"


def _closed(detail: Detail, words: _Words) -> str:
    return f"办结（此前为“{_word(CaseStatus, detail.get('from'))}”）"


def _not_visited(detail: Detail, words: _Words) -> str:
    return "注意：本案未上门即办结"


def _entered(detail: Detail, words: _Words) -> str:
    away = detail.get("distance_m")
    where = "" if away is None else f"，距登记位置约{away}米"
    how = "扫门牌签到" if detail.get("scanned") else "未扫门牌打开记录"
    return f"{words.doer(detail)}{how}{where}{_note(detail)}"


def _recorded(detail: Detail, words: _Words) -> str:
    what = _word(DoorOutcome, detail.get("outcome"))
    photos = f"，照片和签字{detail['photos']}张" if detail.get("photos") else ""
    corrected = f"，更正电话记录{len(detail['corrected'])}项" if detail.get("corrected") else ""
    return f"{words.doer(detail)}提交现场记录表（{detail.get('form_id')}）：{what}{photos}{corrected}"


def _reminded(detail: Detail, words: _Words) -> str:
    return f"催办（{_word(CaseStatus, detail.get('status'))}）：已通知{words.targets(detail.get('told'))}"


def _escalated(detail: Detail, words: _Words) -> str:
    level = _word(CaseLevel, detail.get("to"))
    told = words.targets(detail.get("told"))
    return f"上报{level}级：{because(detail.get('because'))}；已通知{told}"


def _skipped(detail: Detail, words: _Words) -> str:
    return f"跳过{_word(CaseLevel, detail.get('level'))}级：{because(detail.get('because'))}"


def _silent(detail: Detail, words: _Words) -> str:
    return f"{words.visitor(detail.get('visitor_id'))}逾期没有回应"


def _not_reassigned(detail: Detail, words: _Words) -> str:
    return f"未能改派：{because(detail.get('because'))}"


def _heard(detail: Detail, words: _Words) -> str:
    return "值班已接警，铃声停止；案件仍等巡访员接受，到期照常上报"


def _duty_rang(detail: Detail, words: _Words) -> str:
    outcome, nth = str(detail.get("outcome")), detail.get("nth")
    known = outcome in set(DutyOutcome) and isinstance(nth, int)
    said = told(nth, DutyOutcome(outcome)) if known and isinstance(nth, int) else f"值班电话：{outcome}"
    return f"{said}{_call(detail)}"


_SENTENCES: Mapping[str, Callable[[Detail, _Words], str]] = {
    "case.opened": _opened,
    "contact.answered": _contact_answered,
    "contact.called": _contact_called,
    "contact.not_called": _contact_not_called,
    "case.merged": _merged,
    "case.reopened": _reopened,
    "alert.verdict": _verdict,
    "duplicate_suppressed": _suppressed,
    "no_notice_sent": _not_told,
    "case.assign": _assigned,
    "case.accept": _accepted,
    "case.refuse": _refused,
    "case.start": _started,
    "case.visited": _visited,
    "case.refer": _referred,
    "case.close": _closed,
    "door.entered": _entered,
    "visit.recorded": _recorded,
    "visit_not_made": _not_visited,
    "case.reminded": _reminded,
    "case.escalated": _escalated,
    "level_skipped": _skipped,
    "visitor_silent": _silent,
    "not_reassigned": _not_reassigned,
    "duty.accepted": _heard,
    "duty.rang": _duty_rang,
}


def _call(detail: Detail) -> str:
    call_id = detail.get("call_id")
    return "" if call_id is None else f"（通话{call_id}）"


def _note(detail: Detail) -> str:
    return f"：{detail['note']}" if detail.get("note") else ""
