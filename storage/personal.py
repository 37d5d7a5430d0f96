"""个人信息清单: every table, and what its rows hold on an elder.

Export and erasure are made of this list. tests/integration/test_rights_tables.py demands that it names
every table and every column, so that nothing new is forgotten: a new table is either put into TABLES, with
each of its columns kept, emptied or never handed out, or into NOT_OF_AN_ELDER with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from storage import tables

Rows = Callable[[int], sa.ColumnElement[bool]]
ERASED_NAME = "（已删除）"
ERASED_NOTE = "（已应要求删除）"  # 处置情况 of a closed case is never empty


@dataclass(frozen=True, slots=True)
class Without:
    """A JSON object without these keys; the others are counted by reports."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A JSON value in which only numbers, times and words of the vocabulary are left (`scrub`)."""

    spared: str  # rows whose `kind` begins so: the proof of the erasure itself


@dataclass(frozen=True, slots=True)
class Personal:
    """`of`: which rows are of this elder. `emptied`: column -> what stands there after an erasure.
    `kept`: ids, times, numbers and words of the vocabulary. `inside`: never handed out (keys, keyed hashes).
    `gone`: the rows are deleted."""

    table: sa.Table
    title: str
    of: Rows
    kept: str = ""
    emptied: Mapping[str, Any] = field(default_factory=dict)
    inside: str = ""
    gone: bool = False


def _of(table: sa.Table) -> Rows:
    return lambda elder_id: table.c.elder_id == elder_id


def _ids(table: sa.Table, elder_id: int) -> sa.Select[Any]:
    return sa.select(table.c.id).where(table.c.elder_id == elder_id)


def _through(column: sa.Column[Any], table: sa.Table) -> Rows:
    return lambda elder_id: column.in_(_ids(table, elder_id))


def _named(kind: str, table: sa.Table, elder_id: int) -> sa.Select[Any]:
    """`call:7` for each row of the elder."""
    return sa.select(sa.literal(f"{kind}:").concat(sa.cast(table.c.id, sa.String))).where(
        table.c.elder_id == elder_id
    )


def audited(elder_id: int) -> sa.ColumnElement[bool]:
    """Entries of the audit about the elder, his calls, cases, plans, door plates and calls to us."""
    subject = tables.audit.c.subject
    kinds = {
        "call": tables.call,
        "case": tables.case,
        "plan": tables.visit_plan,
        "plate": tables.plate,
        "incoming": tables.incoming,
    }
    # One IN over a union: with an OR of several PostgreSQL would read the whole audit.
    return subject.in_(
        sa.union_all(
            sa.select(sa.literal(f"elder:{elder_id}")),
            *(_named(kind, table, elder_id) for kind, table in kinds.items()),
        )
    )


def _told(elder_id: int) -> sa.ColumnElement[bool]:
    notice = tables.notice.c
    return sa.or_(
        notice.case_id.in_(_ids(tables.case, elder_id)),
        notice.to.in_(_named("contact", tables.contact, elder_id)),
    )


# Keys under which the JSON of a turn or of the audit holds what somebody said or wrote.
SPOKEN = Without(("details", "reasons", "evidence", "judgements", "announcement"))
QUOTED = Without(("text", "reasons"))  # of alert.raised
WRITTEN = Without(("note", "why"))  # of a step of a case

# In this order: what hangs on other rows comes before them.
TABLES: tuple[Personal, ...] = (
    Personal(
        tables.elder,
        "台账",
        lambda elder_id: tables.elder.c.id == elder_id,
        kept="id sex area_id categories mode cadence dialplan first_visit_by pause_told",
        emptied={
            "name": ERASED_NAME,
            "birth_date": None,
            "phone": "",
            "phone_index": None,
            "other_phone": None,
            "other_phone_index": None,
            "id_card": None,
            "id_card_index": None,
            "address": "",
            "self_caring": False,
            "good_health": False,
            "windows": (),
            "tail_ms": None,
            "hard_of_hearing": False,
            "paused_until": None,
            "pause_reason": None,
            "active": False,
        },
        inside="phone_index other_phone_index id_card_index",
    ),
    Personal(tables.elder_note, "台账备注", _of(tables.elder_note), kept="elder_id text", gone=True),
    Personal(
        tables.elder_place, "住处位置", _of(tables.elder_place), kept="elder_id position at by", gone=True
    ),
    Personal(
        tables.elder_hour,
        "最常接听的时段",
        _of(tables.elder_hour),
        kept="elder_id hour chance counted_at",
        gone=True,
    ),
    Personal(tables.consent, "同意与撤回", _of(tables.consent), kept="id elder_id purpose granted at source"),
    Personal(
        tables.plate,
        "门牌",
        _of(tables.plate),
        kept="id elder_id issued_at by revoked_at revoked_by",
        emptied={"why": "", "signature": ""},
        inside="signature",
    ),
    Personal(
        tables.visit_plan,
        "巡访计划",
        _of(tables.visit_plan),
        kept="id elder_id period mode due_from due_until "
        "dialplan status attempts next_attempt_at claimed_at campaign_id",
        inside="lot",
        emptied={},
    ),
    Personal(
        tables.turn,
        "通话逐句文字",
        _through(tables.turn.c.call_id, tables.call),
        kept="call_id seq speaker question confidence start_s end_s alert",
        emptied={"text": "", "judgement": SPOKEN},
    ),
    Personal(
        tables.answer,
        "通话中的回答",
        _through(tables.answer.c.call_id, tables.call),
        kept="call_id question topic answer confidence source at",
        emptied={"details": (), "text": ""},
    ),
    Personal(
        tables.correction,
        "督导更正的回答",
        _through(tables.correction.c.call_id, tables.call),
        kept="id call_id question topic answer by at",
        emptied={"details": (), "why": ""},
    ),
    Personal(
        tables.verdict,
        "督导对报警的判断",
        _through(tables.verdict.c.call_id, tables.call),
        kept="id call_id turn_seq alert verdict by at entries",
        emptied={"reason": "", "text_hash": None},
        inside="text_hash",
    ),
    Personal(
        tables.review,
        "待复核",
        _of(tables.review),
        kept="call_id elder_id area_id priority alert risk "
        "disposition dialplan called_at flagged_at deadline "
        "claimed_by claimed_at done_at done_by outcome",
    ),
    Personal(
        tables.call_command,
        "督导对通话的操作",
        _of(tables.call_command),
        kept="id kind call_id elder_id anyway by at taken_at result new_call_id",
        emptied={"number": None},
        inside="number",  # of the supervisor who took the call over
    ),
    Personal(
        tables.incoming,
        "来电",
        _of(tables.incoming),
        kept="id rang_at kind elder_id call_id line missed alert because ended_at",
        emptied={"phone": "", "phone_index": None},
        inside="phone_index",
    ),
    Personal(
        tables.visit_record,
        "探访情况（服务记录表）",
        _of(tables.visit_record),
        kept="id elder_id plan_id call_id mode visited_at risk erased_at",
        emptied={"fields": {}, "reasons": ()},
    ),
    Personal(
        tables.subsidy,
        "补贴线索",
        _of(tables.subsidy),
        kept="id elder_id benefit status why call_id found_at seen_at decided_by decided_at",
        emptied={"evidence": (), "note": ""},
    ),
    Personal(
        tables.door_photo,
        "上门照片与签名",
        lambda elder_id: tables.door_photo.c.form_id.in_(_ids(tables.door_form, elder_id)),
        kept="id form_id kind file bytes secret",
        inside="secret",
        gone=True,
    ),
    Personal(
        tables.door_entry,
        "上门签到",
        _of(tables.door_entry),
        kept="id case_id elder_id visitor_id at scanned",
        emptied={"distance_m": None, "why": ""},
    ),
    Personal(
        tables.door_form,
        "上门记录",
        _of(tables.door_form),
        kept="id key visitor_id case_id elder_id record_id "
        "entry_id outcome filled_at received_at points erased_at",
        emptied={"note": "", "corrections": "", "said": ""},
        inside="key",
    ),
    Personal(
        tables.notice,
        "发出的通知",
        _told,
        kept="id kind to title body case_id created_at sent_at attempts next_at last_error data",
        gone=True,
    ),
    Personal(
        tables.audit,
        "操作与查阅记录",
        audited,
        kept="id at actor kind subject",
        emptied={"detail": Scrubbed(spared="rights.")},
    ),
    Personal(
        tables.legal_hold,
        "暂停删除",
        _of(tables.legal_hold),
        kept="id elder_id case_id covers_from covers_until by placed_at released_at released_by",
        emptied={"why": ""},
    ),
    Personal(
        tables.case,
        "上门案件",
        _of(tables.case),
        kept="id elder_id kind priority opened_at deadline call_id visitor_id merged since level level_since "
        "reminded_at asked visited_at referred_to "
        "report_category next_look_at texts_erased_at note_erased_at "
        "status closed_at",
        emptied={"summary": "", "evidence": (), "visitor_why": "", "disposition_note": ERASED_NOTE},
    ),
    Personal(
        tables.call,
        "通话",
        _of(tables.call),
        kept="id plan_id elder_id attempt dialplan dialplan_hash "
        "intended_at answered_at ended_at disposition because "
        "sip_code q850 hung_up_by recording alert "
        "risk line direction dialler_id contact_id recording_erased_at texts_erased_at",
        emptied={"number_hint": "", "number_index": None},
        inside="number_index",
    ),
    Personal(
        tables.contact_call,
        "联系人电话",
        _of(tables.contact_call),
        kept="id elder_id plan_id case_id step status created_at until next_attempt_at passed failures "
        "contact_id call_id outcome",
    ),
    Personal(
        tables.contact,
        "联系人",
        _of(tables.contact),
        kept="id elder_id position name relation phone phone_index same_place may_be_told",
        inside="phone_index",
        gone=True,
    ),
    Personal(
        tables.account,
        "只为这位老人巡访的家属的登录账号",
        lambda elder_id: tables.account.c.visitor_id.in_(_ids(tables.visitor, elder_id)),
        kept="id login role area_id visitor_id created_at",
        emptied={"name": ERASED_NAME, "active": False, "password_hash": ""},
        inside="password_hash",
    ),
    Personal(
        tables.visitor,
        "只为这位老人巡访的家属",
        _of(tables.visitor),
        kept="id kind area_id elder_id",
        emptied={"name": ERASED_NAME, "phone": "", "phone_index": None, "active": False},
        inside="phone_index",
    ),
)

NOT_OF_AN_ELDER: Mapping[str, str] = {
    "area": "places and the telephone of an office",
    "campaign": "names areas and categories, no person",
    "dialler": "machines",
    "channel_lease": "machines; free again when the call has ended",
    "recurring": "when a step last ran",
    "hour_rate": "of the whole county",
    "keeper": "proof of the secret key",
    "web_session": "of staff; gone after the session (storage.repository_accounts)",
    "sign_in_failure": "of staff, keyed hashes; gone after the window",
    "point": "of the visitor: his hours, by the number of the case",
    "api_token": "of another program",
    "api_request": "an answer to another program, sealed, gone after a day",
    "webhook": "of another program",
}

_WORD = re.compile(r"(?=.*[a-z_.:])[A-Za-z0-9_.:+-]{1,64}|\d{4}-\d\d(-\d\d\S{0,24})?|\d{4}-W\d\d")


def scrub(value: Any) -> Any:
    """Without what a person said or wrote: names, quotes, telephone numbers, also masked ones."""
    if isinstance(value, dict):
        return {key: scrub(item) for key, item in value.items() if _WORD.fullmatch(key)}
    if isinstance(value, list | tuple):
        return [scrub(item) for item in value]
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else ""
    return value
