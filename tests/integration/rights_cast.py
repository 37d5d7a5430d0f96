"""Two elders with a row in every table, every text marked: 〔一〕 is of the first, 〔二〕 of the second."""

from __future__ import annotations

import wave
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from storage_cast import NOW, SECRET

from records.retention import Folders
from storage import Store, Work
from storage.engine import database_url, open_engine
from storage.files import SealedFiles
from storage.model import Answer, Turn
from storage.tables import metadata
from storage.types import use_vault
from storage.vault import Vault
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDisposition,
    CallerKind,
    CaseKind,
    CommandKind,
    ConsentPurpose,
    DoorOutcome,
    DoorPhotoKind,
    PlanStatus,
    Priority,
    ReviewVerdict,
    Risk,
    Speaker,
    Subsidy,
    UserRole,
    VisitMode,
)

DAY = timedelta(days=1)
PNG = b"\x89PNG\r\n\x1a\n0000"
FIRST, SECOND = "〔一〕", "〔二〕"


def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "recordings", tmp_path / "photos")


def a_recording(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(3200))
    path.with_name(path.name + ".peaks.json").write_text("{}")
    return path


def an_elder_with_everything(
    work: Work, mark: str, kept: Folders, at: datetime = NOW - 10 * DAY, priority: Priority = Priority.NORMAL
) -> int:
    """Everything happened at `at`; the call is over, its case is open, its review is not done."""
    number = "1381234000" + ("1" if mark == FIRST else "2")
    area = work.areas.by_code("220183101205") or work.areas.add(
        code="220183101205", name="幸福村", level="village"
    )
    elder = work.elders.add(
        name=f"王{mark}",
        phone=number,
        other_phone=f"1390000000{number[-1]}",
        address=f"三组{mark}",
        area_id=area.id,
        pause_reason=f"住院{mark}",
        id_card="11010519491231002X" if mark == FIRST else "110105194912310038",
    )
    for purpose in (ConsentPurpose.PHONE_VISIT, ConsentPurpose.RECORDING):
        work.consents.add(elder.id, purpose, True, at, "paper")
    contact = work.contacts.add(
        elder_id=elder.id, position=1, name=f"王小{mark}", phone=f"1370000000{number[-1]}"
    )
    visitor = work.visitors.add(name=f"王小{mark}", kind="child", phone=contact.phone, elder_id=elder.id)
    work.accounts.add(
        login=f"child{elder.id}",
        name=f"王小{mark}",
        password_hash="x",
        role=UserRole.VISITOR,
        area_id=None,
        visitor_id=visitor.id,
        created_at=at,
    )
    work.plans.ensure(
        [
            {
                "elder_id": elder.id,
                "period": "2026-W47",
                "mode": VisitMode.PHONE,
                "due_from": at,
                "due_until": at + 7 * DAY,
                "dialplan": "weekly_short",
            }
        ]
    )
    plan = work.plans.of_period(elder.id, "2026-W47")
    assert plan is not None
    path = f"2026/11/{elder.id}.wav"
    call = work.calls.begin(
        plan_id=plan.id,
        elder_id=elder.id,
        attempt=1,
        dialplan="weekly_short",
        dialplan_hash="0123456789ab",
        intended_at=at,
        number=number,
        recording=path,
    )
    a_recording(kept.recordings, path)
    work.calls.answered(call.id, at)
    judgement = {
        "question": "health",
        "answer": "worse",
        "alert": "review",
        "judgements": [{"entry": "fall.a", "quote": mark}],
        "entries": ["fall.a"],
        "plea": False,
        "details": [mark],
        "reasons": [f"heard as {mark}"],
        "evidence": [mark],
        "announcement": None,
    }
    work.turns.add(
        Turn(call.id, 1, Speaker.ELDER, f"我头晕{mark}", "health", 0.9, 1.0, 2.0, Alert.REVIEW, judgement)
    )
    work.answers.put(
        Answer(
            call.id,
            "health",
            "health",
            "worse",
            (f"头晕{mark}",),
            f"我头晕{mark}",
            0.9,
            AnswerSource.SELF,
            at,
        )
    )
    work.verdicts.add(
        call_id=call.id,
        turn_seq=1,
        alert=Alert.REVIEW,
        verdict=ReviewVerdict.CONFIRMED,
        reason=f"听到{mark}",
        by="user:du",
        at=at,
        entries=("fall.a",),
        text=f"我头晕{mark}",
    )
    work.corrections.add(
        call_id=call.id,
        question="health",
        topic="health",
        answer="worse",
        details=(mark,),
        why=f"听到{mark}",
        by="user:du",
        at=at,
    )
    work.calls.finish(call.id, ended_at=at, disposition=CallDisposition.COMPLETED, because="finished")
    record = work.records.put(
        elder_id=elder.id,
        plan_id=plan.id,
        call_id=call.id,
        mode=VisitMode.PHONE,
        visited_at=at,
        fields={"illness_name": mark},
        risk=Risk.ATTENTION,
        reasons=(mark,),
    )
    case = work.cases.open(
        elder_id=elder.id,
        kind=CaseKind.CONCERN,
        priority=priority,
        opened_at=at,
        deadline=at + DAY,
        summary=f"老人说{mark}",
        evidence=[{"text": mark, "call_id": call.id}],
        call_id=call.id,
        visitor_id=visitor.id,
        visitor_why=mark,
    )
    work.db.change(
        sa.insert(metadata.tables["contact_call"]).values(
            elder_id=elder.id,
            plan_id=plan.id,
            case_id=case.id,
            step=1,
            status=PlanStatus.WAITING,
            created_at=at,
            until=at + DAY,
            next_attempt_at=at + DAY,
            passed=(),
            failures=0,
            contact_id=contact.id,
            call_id=call.id,
            outcome="reached",
        )
    )
    work.notices.add(
        kind="case.opened", to=f"visitor:{visitor.id}", title=mark, body=mark, case_id=case.id, created_at=at
    )
    work.notices.add(kind="summary", to=f"contact:{contact.id}", title=mark, body=mark, created_at=at)
    sealed = SealedFiles(kept.photos).put(PNG)
    _rest(
        work, elder.id, call.id, case.id, visitor.id, record.id, mark, at, number, sealed.file, sealed.secret
    )
    for subject, detail in (
        (f"elder:{elder.id}", {"fields": {"姓名": mark}, "why": mark}),
        (f"call:{call.id}", {"text": mark, "reasons": [mark], "alert": "review", "start_s": 1.0}),
        (f"case:{case.id}", {"note": mark, "to": "assigned", "visitor_id": visitor.id}),
        (f"plan:{plan.id}", {"because": mark}),
    ):
        kind = "alert.raised" if subject.startswith("call") else "x.changed"
        work.audit.write(at, "user:du", kind, subject, detail)
    work.audit.write(at, "user:du", "recording.played", f"call:{call.id}", {"view": "abc"})
    return elder.id


def _rest(
    work: Work,
    elder_id: int,
    call_id: int,
    case_id: int,
    visitor_id: int,
    record_id: int,
    mark: str,
    at: datetime,
    number: str,
    file: str,
    secret: str,
) -> None:
    """Rows for which the shortest way is the table itself."""
    tables = metadata.tables

    def add(name: str, **values: Any) -> int:
        row = work.db.row(
            sa.insert(tables[name]).values(**values).returning(*tables[name].primary_key.columns)
        )
        assert row is not None
        return int(row[0])

    add("elder_note", elder_id=elder_id, text=mark)
    add("elder_place", elder_id=elder_id, position="43.1,125.2" + mark, at=at, by="visitor:1")
    add("elder_hour", elder_id=elder_id, hour=9, chance=0.5, counted_at=at)
    add(
        "plate",
        elder_id=elder_id,
        issued_at=at,
        by="user:du",
        revoked_by="",
        why=mark,
        signature="f" * 32 + mark,
    )
    add(
        "review",
        call_id=call_id,
        elder_id=elder_id,
        area_id=None,
        priority=Priority.HIGH,
        alert=Alert.REVIEW,
        dialplan="weekly_short",
        called_at=at,
        flagged_at=at,
        deadline=at + DAY,
    )
    add(
        "call_command",
        kind=CommandKind.CALL_NOW,
        call_id=call_id,
        elder_id=elder_id,
        number=mark,
        anyway=False,
        by="user:du",
        at=at,
    )
    add(
        "incoming",
        rang_at=at,
        kind=next(iter(CallerKind)),
        phone=number + mark,
        phone_index="0" * 63 + number[-1],
        elder_id=elder_id,
        call_id=None,
        line="line-1",
        missed=True,
        alert=Alert.NONE,
        because="",
    )
    add(
        "subsidy",
        elder_id=elder_id,
        benefit=next(iter(Subsidy)),
        status="new",
        why="年满八十周岁",
        evidence=[{"call_id": call_id, "text": mark}],
        call_id=call_id,
        found_at=at,
        seen_at=at,
        decided_by="",
        note=mark,
    )
    entry = add(
        "door_entry",
        case_id=case_id,
        elder_id=elder_id,
        visitor_id=visitor_id,
        at=at,
        scanned=False,
        distance_m=7,
        why=mark,
    )
    form = add(
        "door_form",
        key=f"key-{elder_id}",
        visitor_id=visitor_id,
        case_id=case_id,
        elder_id=elder_id,
        record_id=record_id,
        entry_id=entry,
        outcome=next(iter(DoorOutcome)),
        filled_at=at,
        received_at=at,
        note=mark,
        corrections='{"gas": {"why": "' + mark + '"}}',
        said=mark,
        points=1,
    )
    add("door_photo", form_id=form, kind=next(iter(DoorPhotoKind)), file=file, secret=secret, bytes=len(PNG))
    add(
        "legal_hold",
        elder_id=elder_id,
        why=mark,
        by="user:du",
        placed_at=at,
        released_at=at,
        released_by="user:du",
    )


def settle(work: Work, elder_id: int, at: datetime) -> None:
    """The case is closed, the review done."""
    case = work.cases.open_for(elder_id)
    assert case is not None
    work.cases.close(case.id, note=f"已上门{FIRST}", at=at)
    review = metadata.tables["review"]
    work.db.change(
        sa.update(review).where(review.c.elder_id == elder_id).values(done_at=at, done_by="user:du")
    )
    plan = metadata.tables["visit_plan"]
    work.db.change(sa.update(plan).where(plan.c.elder_id == elder_id).values(status=PlanStatus.DONE))


def everything(url: str) -> dict[str, str]:
    """Table -> all its values, decrypted."""
    engine = open_engine(database_url(url))
    use_vault(engine, Vault([SECRET]))
    with engine.connect() as connection:
        found = {
            table.name: "\n".join(str(tuple(row)) for row in connection.execute(sa.select(table)))
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


def where(url: str, mark: str) -> set[str]:
    return {name for name, text in everything(url).items() if mark in text}


def opened(url: str) -> Store:
    return Store(url, [SECRET])
