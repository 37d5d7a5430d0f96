"""The words of the field, once: every room, table and page uses these names.

The values are what is stored and what machines read; `zh()` is what a person sees.
Sources: Jilin 2020 (吉民发〔2020〕32号) for the eight categories, modes and cadences;
Hubei 2023 (the record form 特殊困难老年人探访关爱服务记录表) for the form's words;
Jilin 2018 (吉民发〔2018〕54号) for what must be reported and to whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Category(StrEnum):
    """The eight priority groups of Jilin 2020, clause 二."""

    LIVING_ALONE = "living_alone"
    EMPTY_NEST = "empty_nest"
    LEFT_BEHIND = "left_behind"
    DESTITUTE = "destitute"
    ADVANCED_AGE = "advanced_age"
    DISABLED = "disabled"
    SEVERELY_DISABLED = "severely_disabled"
    FAMILY_PLANNING_SPECIAL = "family_planning_special"


class VisitMode(StrEnum):
    PHONE = "phone"
    ONLINE = "online"
    ON_SITE = "on_site"


class Cadence(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class ConsentPurpose(StrEnum):
    PHONE_VISIT = "phone_visit"
    RECORDING = "recording"
    HEALTH_DATA = "health_data"
    FAMILY_NOTICE = "family_notice"
    ON_SITE_VISIT = "on_site_visit"


class CallDisposition(StrEnum):
    """Why a call ended (接通结果). No two of these may ever be merged into one "failed"."""

    NOT_DIALLED = "not_dialled"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    POWERED_OFF = "powered_off"
    SUSPENDED = "suspended"
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"
    VOICEMAIL = "voicemail"
    ANSWERED_SILENT = "answered_silent"
    OTHER_PERSON = "other_person"
    ASKED_LATER = "asked_later"
    HUNG_UP_EARLY = "hung_up_early"
    COMPLETED = "completed"
    TRUNK_FAILURE = "trunk_failure"
    INTERRUPTED = "interrupted"


class CallDirection(StrEnum):
    """Who rang whom."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class CallerKind(StrEnum):
    """Who rings us (来电), as far as his number tells."""

    ELDER = "elder"
    HOUSEHOLD = "household"  # several elders share the number
    CONTACT = "contact"  # 紧急联系人 of an elder
    STRANGER = "stranger"  # unknown, or withheld


class Alert(StrEnum):
    """What one utterance demands. URGENT rings a human while the line is open."""

    NONE = "none"
    REVIEW = "review"
    URGENT = "urgent"


class Risk(StrEnum):
    """Risk level of a whole visit."""

    NORMAL = "normal"
    ATTENTION = "attention"
    URGENT = "urgent"


class CaseKind(StrEnum):
    """Why somebody has to go and see."""

    DISTRESS = "distress"
    MISSED_CALL = "missed_call"
    NUMBER_PROBLEM = "number_problem"
    REQUEST = "request"
    CONCERN = "concern"
    UNCLEAR = "unclear"
    REFUSAL = "refusal"
    OTHER_PERSON = "other_person"
    NOT_DIALLED = "not_dialled"
    CONSENT = "consent"
    NOT_VISITED = "not_visited"
    PAUSE_ENDED = "pause_ended"


class Priority(StrEnum):
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"


class CaseStatus(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    VISITED = "visited"
    REFERRED = "referred"
    CLOSED = "closed"


class CaseStep(StrEnum):
    """What somebody does to a case; what each leads to and who may do it: visits.life."""

    ASSIGN = "assign"
    ACCEPT = "accept"
    REFUSE = "refuse"
    START = "start"
    VISITED = "visited"
    REFER = "refer"
    CLOSE = "close"


class CaseLevel(StrEnum):
    """Who is rung when the visitor does not act: upwards by deadline. The values are Area.level."""

    VILLAGE = "village"
    TOWNSHIP = "township"
    COUNTY = "county"


class ReferTo(StrEnum):
    """To whom a case is referred (转介). A human has called or reported: the system never does."""

    POLICE = "110"
    AMBULANCE = "120"
    HOTLINE = "12345"
    VILLAGE = "village"
    TOWNSHIP = "township"
    CIVIL_AFFAIRS = "civil_affairs"


class ReportCategory(StrEnum):
    """What must be reported: the five of Jilin 2018, clause 三(三); its 等情况 is OTHER."""

    ROAMING = "roaming"
    HARMED = "harmed"
    CRITICAL_ILLNESS = "critical_illness"
    MENTAL_ILLNESS = "mental_illness"
    HARDSHIP = "hardship"
    OTHER = "other"


class ReviewVerdict(StrEnum):
    """What a supervisor says of an alert after listening (复核). MISSED: the machine raised none."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"
    MISSED = "missed"


class ReviewOutcome(StrEnum):
    """How a flagged call left the queue 待复核."""

    JUDGED = "judged"  # every alert has its verdict
    SEEN = "seen"  # listened to, nothing to judge: a record at risk without an alert


class CommandKind(StrEnum):
    """What the desk may ask of a call (web → dialler)."""

    HANG_UP = "hang_up"
    TAKE_OVER = "take_over"
    CALL_NOW = "call_now"


class CommandResult(StrEnum):
    """What came of it. NOT_NOW: outside the hours, or called too often today."""

    DONE = "done"
    CALL_OVER = "call_over"
    NO_LINE = "no_line"
    NO_NUMBER = "no_number"
    NO_CONSENT = "no_consent"
    ON_THE_PHONE = "on_the_phone"
    NOT_NOW = "not_now"
    FAILED = "failed"


class PlanStatus(StrEnum):
    """Life of a planned visit. DIALLING is the committed intent: it is written before the INVITE."""

    DUE = "due"
    DIALLING = "dialling"
    WAITING = "waiting"  # a retry is due at next_attempt_at
    DONE = "done"  # somebody was heard
    ESCALATED = "escalated"  # retries are used up: a case carries it on
    ON_SITE = "on_site"  # never for the telephone
    PAUSED = "paused"


class UserRole(StrEnum):
    """Who may use the console, and for what (web.access)."""

    COUNTY_ADMIN = "county_admin"
    SUPERVISOR = "supervisor"
    VISITOR = "visitor"
    AUDITOR = "auditor"


class SessionKind(StrEnum):
    """What a sign-in is good for: WALL opens one page for weeks and changes nothing."""

    DESK = "desk"
    WALL = "wall"


class CampaignKind(StrEnum):
    """Why there are more visits than the cadence asks for (专项巡访), the gravest first."""

    FLOOD = "flood"
    EPIDEMIC = "epidemic"
    HEAT = "heat"
    COLD = "cold"
    FESTIVAL = "festival"


class DiallerState(StrEnum):
    """拨号机: one process that makes calls. GONE: its lease is over, its id opens nothing any more."""

    RUNNING = "running"
    DRAINING = "draining"  # no further call begins, the live ones go on
    GONE = "gone"


class Subsidy(StrEnum):
    """What an elder may be entitled to (Jilin 2020, clause 五(五))."""

    LOW_INCOME = "low_income"
    DESTITUTE_SUPPORT = "destitute_support"
    TEMPORARY_RELIEF = "temporary_relief"
    SERIOUS_ILLNESS = "serious_illness"
    ADVANCED_AGE = "advanced_age"
    DISABILITY_CARE = "disability_care"
    DISABLED_ALLOWANCES = "disabled_allowances"


class SubsidyStatus(StrEnum):
    """How far a clue (补贴线索) has come. The system only finds; people decide."""

    NEW = "new"
    TOLD = "told"
    APPLIED = "applied"
    NOT_ELIGIBLE = "not_eligible"


class DoorOutcome(StrEnum):
    """What became of a form that was filled in at the door (巡访记录表)."""

    CLOSED = "closed"
    VISITED = "visited"
    SUPPLEMENTARY = "supplementary"  # somebody else had closed or taken over the case meanwhile


class DoorPhotoKind(StrEnum):
    PHOTO = "photo"
    ELDER_SIGNATURE = "elder_signature"
    VISITOR_SIGNATURE = "visitor_signature"


class PointKind(StrEnum):
    """时间银行: an entry of the ledger."""

    VISIT = "visit"
    REVERSAL = "reversal"


class Speaker(StrEnum):
    SYSTEM = "system"
    ELDER = "elder"
    RELATIVE = "relative"
    MACHINE = "machine"


class DutyOutcome(StrEnum):
    """What came of ringing one duty telephone (值班电话) while an elder was in danger."""

    TAKEN = "taken"  # a person has taken over
    LEFT = "left"  # he has spoken with the elder and hung up
    LOST = "lost"  # his line broke
    MACHINE = "machine"  # a voicemail, a carrier's voice, a telephone's assistant, a tone
    NOBODY = "nobody"  # answered, and nobody was there who could be understood
    HUNG_UP = "hung_up"  # answered, and hung up before he had taken over
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    NOT_REACHED = "not_reached"
    NO_LINE = "no_line"  # ours: every line of the process was taken
    NOT_NEEDED = "not_needed"  # another has taken over, or the elder has gone
    TRANSFERRED = "transferred"  # the elder's call is at the county's call centre
    NOT_TRANSFERRED = "not_transferred"
    UNKNOWN = "unknown"  # the elder's line ended before the call centre had said whether it has him
    NONE_CAME = "none_came"  # every number, every round
    NO_NUMBER = "no_number"


class AnswerSource(StrEnum):
    SELF = "self"
    RELATIVE = "relative"  # 家属代述: ranks below self-report
    KEYPAD = "keypad"


_TERMS: tuple[tuple[StrEnum, str], ...] = (
    (DoorOutcome.CLOSED, "已办结"),
    (DoorOutcome.VISITED, "已上门，待办结"),
    (DoorOutcome.SUPPLEMENTARY, "补充记录"),
    (DoorPhotoKind.PHOTO, "现场照片"),
    (DoorPhotoKind.ELDER_SIGNATURE, "老人签字"),
    (DoorPhotoKind.VISITOR_SIGNATURE, "巡访员签字"),
    (PointKind.VISIT, "上门积分"),
    (PointKind.REVERSAL, "冲销"),
    (Category.LIVING_ALONE, "独居"),
    (Category.EMPTY_NEST, "空巢"),
    (Category.LEFT_BEHIND, "留守"),
    (Category.DESTITUTE, "特困"),
    (Category.ADVANCED_AGE, "高龄"),
    (Category.DISABLED, "失能(失智)"),
    (Category.SEVERELY_DISABLED, "重残"),
    (Category.FAMILY_PLANNING_SPECIAL, "计生特殊家庭"),
    (VisitMode.PHONE, "电话巡访"),
    (VisitMode.ONLINE, "线上巡访"),
    (VisitMode.ON_SITE, "上门巡访"),
    (Cadence.WEEKLY, "周访"),
    (Cadence.MONTHLY, "月访"),
    (Cadence.QUARTERLY, "季访"),
    (ConsentPurpose.PHONE_VISIT, "电话巡访"),
    (ConsentPurpose.RECORDING, "通话录音"),
    (ConsentPurpose.HEALTH_DATA, "健康信息"),
    (ConsentPurpose.FAMILY_NOTICE, "通知家属"),
    (ConsentPurpose.ON_SITE_VISIT, "上门巡访"),
    (CallDisposition.NOT_DIALLED, "未拨出"),
    (CallDisposition.NO_ANSWER, "无人接听"),
    (CallDisposition.BUSY, "占线"),
    (CallDisposition.REJECTED, "拒接"),
    (CallDisposition.POWERED_OFF, "关机"),
    (CallDisposition.SUSPENDED, "停机"),
    (CallDisposition.INVALID_NUMBER, "空号"),
    (CallDisposition.UNREACHABLE, "无法接通"),
    (CallDisposition.VOICEMAIL, "语音信箱"),
    (CallDisposition.ANSWERED_SILENT, "接通无声"),
    (CallDisposition.OTHER_PERSON, "他人接听"),
    (CallDisposition.ASKED_LATER, "请稍后再打"),
    (CallDisposition.HUNG_UP_EARLY, "中途挂断"),
    (CallDisposition.COMPLETED, "完成"),
    (CallDisposition.TRUNK_FAILURE, "线路故障"),
    (CallDisposition.INTERRUPTED, "系统中断"),
    (DutyOutcome.TAKEN, "有人接听，已与老人接通"),
    (DutyOutcome.LEFT, "与老人通话结束"),
    (DutyOutcome.LOST, "通话中断"),
    (DutyOutcome.MACHINE, "语音信箱或提示音，不是真人"),
    (DutyOutcome.NOBODY, "接通后没有人回应"),
    (DutyOutcome.HUNG_UP, "接通后挂断，没有接管"),
    (DutyOutcome.NO_ANSWER, "无人接听"),
    (DutyOutcome.BUSY, "占线"),
    (DutyOutcome.NOT_REACHED, "没有打通"),
    (DutyOutcome.NO_LINE, "没有空闲线路"),
    (DutyOutcome.NOT_NEEDED, "不再需要"),
    (DutyOutcome.TRANSFERRED, "老人的电话已转接"),
    (DutyOutcome.NOT_TRANSFERRED, "没有转接成功，改由本机拨打"),
    (DutyOutcome.UNKNOWN, "转接中老人的线路断了，结果不明，请核实"),
    (DutyOutcome.NONE_CAME, "全部没有人接管"),
    (DutyOutcome.NO_NUMBER, "没有设置号码"),
    (CallDirection.OUTBOUND, "呼出"),
    (CallDirection.INBOUND, "来电"),
    (CallerKind.ELDER, "老人"),
    (CallerKind.HOUSEHOLD, "共用电话"),
    (CallerKind.CONTACT, "联系人"),
    (CallerKind.STRANGER, "未知号码"),
    (Alert.NONE, "无"),
    (Alert.REVIEW, "待复核"),
    (Alert.URGENT, "紧急"),
    (Risk.NORMAL, "正常"),
    (Risk.ATTENTION, "关注"),
    (Risk.URGENT, "紧急"),
    (CaseKind.DISTRESS, "紧急求助"),
    (CaseKind.MISSED_CALL, "多次未接通"),
    (CaseKind.NUMBER_PROBLEM, "号码异常"),
    (CaseKind.REQUEST, "服务需求"),
    (CaseKind.CONCERN, "情况异常"),
    (CaseKind.UNCLEAR, "未能确认"),
    (CaseKind.REFUSAL, "不接受电话巡访"),
    (CaseKind.OTHER_PERSON, "他人接听"),
    (CaseKind.NOT_DIALLED, "期内未拨出"),
    (CaseKind.CONSENT, "征求同意"),
    (CaseKind.NOT_VISITED, "期内未上门"),
    (CaseKind.PAUSE_ENDED, "暂停到期"),
    (Priority.URGENT, "紧急"),
    (Priority.HIGH, "优先"),
    (Priority.NORMAL, "一般"),
    (CaseStatus.OPEN, "待分派"),
    (CaseStatus.ASSIGNED, "已分派"),
    (CaseStatus.ACCEPTED, "已接受"),
    (CaseStatus.ON_THE_WAY, "在路上"),
    (CaseStatus.VISITED, "已上门"),
    (CaseStatus.REFERRED, "已转介"),
    (CaseStatus.CLOSED, "已办结"),
    (CaseStep.ASSIGN, "分派"),
    (CaseStep.ACCEPT, "接受"),
    (CaseStep.REFUSE, "推辞"),
    (CaseStep.START, "出发"),
    (CaseStep.VISITED, "上门"),
    (CaseStep.REFER, "转介"),
    (CaseStep.CLOSE, "办结"),
    (CaseLevel.VILLAGE, "村"),
    (CaseLevel.TOWNSHIP, "乡镇"),
    (CaseLevel.COUNTY, "县"),
    (ReferTo.POLICE, "110"),
    (ReferTo.AMBULANCE, "120"),
    (ReferTo.HOTLINE, "12345"),
    (ReferTo.VILLAGE, "村（居）委会"),
    (ReferTo.TOWNSHIP, "乡镇人民政府"),
    (ReferTo.CIVIL_AFFAIRS, "民政部门"),
    (ReportCategory.ROAMING, "外出流浪乞讨"),
    (ReportCategory.HARMED, "遭受非法侵害"),
    (ReportCategory.CRITICAL_ILLNESS, "发生危重病情"),
    (ReportCategory.MENTAL_ILLNESS, "患有严重精神疾病"),
    (ReportCategory.HARDSHIP, "面临重大困境"),
    (ReportCategory.OTHER, "其他情况"),
    (ReviewVerdict.CONFIRMED, "属实"),
    (ReviewVerdict.FALSE_ALARM, "误报"),
    (ReviewVerdict.MISSED, "漏报"),
    (ReviewOutcome.JUDGED, "已判定"),
    (ReviewOutcome.SEEN, "已查看"),
    (CommandKind.HANG_UP, "结束通话"),
    (CommandKind.TAKE_OVER, "接管通话"),
    (CommandKind.CALL_NOW, "立即拨打"),
    (CommandResult.DONE, "已执行"),
    (CommandResult.CALL_OVER, "通话已经结束"),
    (CommandResult.NO_LINE, "没有空闲线路，请稍后再试"),
    (CommandResult.NO_NUMBER, "老人没有登记电话"),
    (CommandResult.NO_CONSENT, "老人没有同意电话巡访，须上门征求"),
    (CommandResult.ON_THE_PHONE, "老人正在通话中"),
    (CommandResult.NOT_NOW, "不在拨打时段内，或今天次数已满"),
    (CommandResult.FAILED, "没有成功，请看运行日志"),
    (PlanStatus.DUE, "待拨打"),
    (PlanStatus.DIALLING, "拨打中"),
    (PlanStatus.WAITING, "等待重拨"),
    (PlanStatus.DONE, "已完成"),
    (PlanStatus.ESCALATED, "已转上门"),
    (PlanStatus.ON_SITE, "上门巡访"),
    (PlanStatus.PAUSED, "暂停"),
    (UserRole.COUNTY_ADMIN, "县级管理员"),
    (UserRole.SUPERVISOR, "督导"),
    (UserRole.VISITOR, "巡访员"),
    (UserRole.AUDITOR, "审计（只读）"),
    (SessionKind.DESK, "登录"),
    (SessionKind.WALL, "大屏登录"),
    (CampaignKind.FLOOD, "防汛"),
    (CampaignKind.EPIDEMIC, "防疫"),
    (CampaignKind.HEAT, "高温"),
    (CampaignKind.COLD, "寒潮"),
    (CampaignKind.FESTIVAL, "节日"),
    (DiallerState.RUNNING, "运行"),
    (DiallerState.DRAINING, "收尾"),
    (DiallerState.GONE, "已离线"),
    (Subsidy.LOW_INCOME, "城乡低保"),
    (Subsidy.DESTITUTE_SUPPORT, "特困供养"),
    (Subsidy.TEMPORARY_RELIEF, "临时救助"),
    (Subsidy.SERIOUS_ILLNESS, "大病救助"),
    (Subsidy.ADVANCED_AGE, "高龄补贴"),
    (Subsidy.DISABILITY_CARE, "失能护理补贴"),
    (Subsidy.DISABLED_ALLOWANCES, "残疾人两项补贴"),
    (SubsidyStatus.NEW, "待核实"),
    (SubsidyStatus.TOLD, "已告知"),
    (SubsidyStatus.APPLIED, "已协助申请"),
    (SubsidyStatus.NOT_ELIGIBLE, "不符合"),
    (Speaker.SYSTEM, "系统"),
    (Speaker.ELDER, "老人"),
    (Speaker.RELATIVE, "他人"),
    (Speaker.MACHINE, "语音提示"),
    (AnswerSource.SELF, "本人"),
    (AnswerSource.RELATIVE, "家属代述"),
    (AnswerSource.KEYPAD, "按键"),
)
# A StrEnum equals its string, so words of two lists may be equal: the list is part of the key.
_ZH = {(type(word), word.value): chinese for word, chinese in _TERMS}


# What a contact is to the elder, in sentences and on the form; a ledger has its own spellings.
RELATION_ZH: Mapping[str, str] = {
    "child": "子女",
    "relative": "亲属",
    "guardian": "监护人",
    "neighbour": "邻居",
    "village": "村（居）",
}


def zh(word: StrEnum) -> str:
    """The Chinese term that a person sees for a vocabulary word."""
    return _ZH[type(word), word.value]
