"""查阅复制与删除 (个人信息保护法 第四十五、四十七条): what is held on one elder as a zip, and its erasure.

Both are made of storage.personal: what is in no table there is held nowhere.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from records import document
from records.retention import Folders
from storage.files import Kept, SealedFiles, recording_files, remove_recording
from storage.model import Case, HeldTable, LegalHold
from xunfang.errors import BadInput, Conflict, NotFound, StorageError
from xunfang.vocabulary import CaseStatus, Priority

if TYPE_CHECKING:
    from storage import Store, Work

EXPORTED, ERASED, HELD, RELEASED = "rights.exported", "rights.erased", "rights.held", "rights.released"
CASE_CLOSED = "case.closed"
CASE_RELEASED = "case.released"  # kind of a notice, as when a case is closed before its visitor went
BEEN_THERE = frozenset({CaseStatus.VISITED, CaseStatus.REFERRED})
# What the access log calls each kind of looking at what is held on an elder.
ACCESS_ZH: Mapping[str, str] = {
    "recording.played": "播放通话录音",
    "call.listened_in": "旁听通话",
    "number.revealed": "查看完整号码",
    "number.shown": "查看来电号码",
    "photo.seen": "查看上门照片",
    "form.made": "下载服务记录表",
    "plate.printed": "打印门牌",
    "door.entered": "在门口打开记录",
    "rights.exported": "导出全部个人信息",
}
WHY_CHARS = 200
MOST_VISITS = 10_000  # of one elder: weekly for longer than anybody lives
HOLD_BEFORE_CASE_DAYS = 30  # calls and visits before a case that may explain it
OWNER_ONLY = 0o600
_SUFFIX = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"RIFF": "webp"}


# ---- export ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into the zip."""

    rows: dict[str, int]
    recordings: int
    photos: int
    missing: int  # files that a row names and that are not on the disk


def export(
    store: Store,
    elder_id: int,
    out: Path,
    folders: Folders,
    now: datetime,
    zone: ZoneInfo,
    actor: str,
    template: Path | None = None,
) -> Exported:
    """Write the zip (readable by its owner only). NotFound for an unknown elder, BadInput for a file that
    cannot be written; then nothing is left behind."""
    with store.read() as work:
        if work.elders.get(elder_id) is None:
            raise NotFound(f"没有编号为{elder_id}的老人")
        held = work.rights.held(elder_id)
        recordings = work.rights.recordings(elder_id)
        photos = work.doorstep.photos_of_elder(elder_id)
        visits = max(1, min(MOST_VISITS, len(work.records.of_elder(elder_id, MOST_VISITS))))
        facts = document.gather(work, elder_id, visits=visits, photos=folders.photos)
    form = document.render(document.fill(facts, now, zone), template)
    part = out.with_name(out.name + ".part")
    sealed, counted, missing = SealedFiles(folders.photos), {"recordings": 0, "photos": 0}, []
    try:
        part.unlink(missing_ok=True)
        opened = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb")
        with opened as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for call_id, path in recordings:
                files = recording_files(folders.recordings, path)
                if files is None or not files[0].is_file():
                    missing.append(f"通话{call_id}的录音")
                    continue
                archive.write(files[0], f"录音/通话{call_id}{files[0].suffix}")
                counted["recordings"] += 1
            for photo in photos:
                try:
                    data = sealed.get(Kept(photo.file, photo.secret))
                except (NotFound, StorageError):
                    missing.append(f"照片{photo.id}")
                    continue
                archive.writestr(f"照片/{photo.kind.value}-{photo.id}.{_suffix(data)}", data)
                counted["photos"] += 1
            archive.writestr("服务记录表.docx", form)
            archive.writestr("数据.json", json.dumps(_as_json(held), ensure_ascii=False, indent=1))
            archive.writestr("说明.txt", readme(held, now, zone, counted, missing))
        with store.begin() as work:
            rows = {each.name: len(each.rows) for each in held if each.rows}
            work.audit.write(now, actor, EXPORTED, f"elder:{elder_id}", {"rows": rows} | counted)
        part.replace(out)
    except OSError as error:
        raise BadInput(f"无法写入 {out}：{error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return Exported(rows, counted["recordings"], counted["photos"], len(missing))


def readme(
    held: list[HeldTable], now: datetime, zone: ZoneInfo, counted: Mapping[str, int], missing: list[str]
) -> str:
    """说明, made from the list of tables."""
    lines = [
        "个人信息副本",
        f"生成时间：{now.astimezone(zone):%Y-%m-%d %H:%M}",
        "",
        "这里是巡访系统中与这位老人有关的全部个人信息。",
        "  数据.json          下面各项，逐条列出（时间后面是时区，+00:00 加八小时为北京时间）",
        "  服务记录表.docx    按每次探访填写的正式记录表",
        f"  录音/              通话录音，{counted['recordings']}个（左声道为系统，右声道为对方）",
        f"  照片/              上门照片与签名，{counted['photos']}个",
        "",
        "数据.json 中的内容：",
        *(f"  {each.title}（{each.name}）：{len(each.rows)}条" for each in held),
        "",
        "没有放入的：用于查找的加密摘要、加密文件的密钥、登录密码的摘要，它们不含可读的信息。",
        "超过保存期限、已经删除的内容不在其中。",
    ]
    if missing:
        lines += ["", "登记过、但文件已不在的：" + "、".join(missing)]
    return "\n".join(lines) + "\n"


def _as_json(held: list[HeldTable]) -> dict[str, Any]:
    return {each.name: {"名称": each.title, "内容": [_plain(row) for row in each.rows]} for each in held}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(_plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _suffix(data: bytes) -> str:
    return next((suffix for start, suffix in _SUFFIX.items() if data.startswith(start)), "bin")


# ---- erasure -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, or with `dry_run` what would be. `ended`: steps that will not be taken any more."""

    elder_id: int
    dry_run: bool
    rows: dict[str, int]
    ended: dict[str, int]
    recordings: int
    photos: int


def erase(
    store: Store,
    elder_id: int,
    why: str,
    actor: str,
    folders: Folders,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Erasure:
    """Irreversible. Conflict when somebody is on the way to the elder, a call goes on, or a hold covers him.
    Files go first: interrupted, it is simply run again."""
    if not why.strip() or len(why) > WHY_CHARS:
        raise BadInput(f"写明删除的原因，最多{WHY_CHARS}个字")
    with store.read() as work:
        _must_be_erasable(work, elder_id)
        recordings = work.rights.recordings(elder_id)
        photos = work.doorstep.photos_of_elder(elder_id)
        rows = work.rights.counts(elder_id)
    if dry_run:
        return Erasure(elder_id, True, rows, {}, len(recordings), len(photos))
    sealed = SealedFiles(folders.photos)
    try:
        for _, path in recordings:
            remove_recording(folders.recordings, path)
        for photo in photos:
            sealed.remove(photo.file)
    except OSError as error:
        raise StorageError(
            f"cannot remove a file: {error.strerror}; the rows still stand, try again"
        ) from None
    with store.begin() as work:
        open_cases = _must_be_erasable(work, elder_id)
        for case in open_cases:
            detail = {"from": case.status.value, "to": CaseStatus.CLOSED.value, "by": ERASED}
            if (told := _told(case)) is not None:
                detail["told"] = told
            work.audit.write(now, actor, CASE_CLOSED, f"case:{case.id}", detail)
        ended = work.rights.end(elder_id, now, actor)
        rows = work.rights.erase(elder_id, now)
        for case in open_cases:
            _cancel(work, case, now)
        counted = {"rows": rows, "ended": ended, "recordings": len(recordings), "photos": len(photos)}
        # Why it was asked for is the proof that it was lawful; it names nobody (the caller sees to that).
        work.audit.write(now, actor, ERASED, f"elder:{elder_id}", counted | {"grounds": why.strip()})
    return Erasure(elder_id, False, rows, ended, len(recordings), len(photos))


def _told(case: Case) -> str | None:
    """The visitor who was asked to go and has not been there."""
    waits = case.visitor_id is not None and case.status not in BEEN_THERE
    return f"visitor:{case.visitor_id}" if waits else None


def _cancel(work: Work, case: Case, now: datetime) -> None:
    """Nobody must stand at a door for nothing. The notice says which task and nothing of whom; it does not
    hang on the case, whose notices are erased."""
    if (to := _told(case)) is not None:
        body = f"案件{case.id}的上门任务已取消，不用再去。"
        work.notices.add(kind=CASE_RELEASED, to=to, title="一项任务已取消", body=body, created_at=now)


def _must_be_erasable(work: Work, elder_id: int) -> list[Case]:
    """The open cases that erasing would close."""
    if work.elders.get(elder_id) is None:
        raise NotFound(f"没有编号为{elder_id}的老人")
    cases = work.rights.left(elder_id)
    for case in cases:
        if case.priority is Priority.URGENT:
            raise Conflict(f"案件{case.id}是紧急案件，尚未办结：先确认老人平安并办结，再删除个人信息")
        if case.status is CaseStatus.ON_THE_WAY:
            raise Conflict(f"案件{case.id}的巡访员正在路上：先办结，再删除个人信息")
    if work.rights.lives(elder_id):
        raise Conflict("正在与这位老人通话：通话结束后再删除")
    held = work.rights.holds([elder_id])
    if held:
        raise Conflict(f"暂停删除{held[0].id}仍然有效（xunfang rights holds）：先解除，再删除个人信息")
    return cases


# ---- 暂停删除 ------------------------------------------------------------------------------------------


def hold(
    work: Work, elder_id: int, why: str, actor: str, now: datetime, case_id: int | None = None
) -> LegalHold:
    """Keep everything of an elder, or what lies in the time of one case, whatever the periods say."""
    if not why.strip() or len(why) > WHY_CHARS:
        raise BadInput(f"写明暂停删除的原因，最多{WHY_CHARS}个字")
    if work.elders.get(elder_id) is None:
        raise NotFound(f"没有编号为{elder_id}的老人")
    since = until = None
    if case_id is not None:
        case = work.cases.get(case_id)
        if case is None or case.elder_id != elder_id:
            raise NotFound(f"老人{elder_id}没有案件{case_id}")
        since, until = case.opened_at - timedelta(days=HOLD_BEFORE_CASE_DAYS), case.closed_at
    placed = work.rights.hold(
        elder_id=elder_id,
        why=why.strip(),
        by=actor,
        placed_at=now,
        case_id=case_id,
        covers_from=since,
        covers_until=until,
    )
    work.audit.write(now, actor, HELD, f"elder:{elder_id}", {"hold_id": placed.id, "case_id": case_id})
    return placed


def release(work: Work, hold_id: int, actor: str, now: datetime) -> None:
    found = work.rights.get_hold(hold_id)
    if found is None:
        raise NotFound(f"没有编号为{hold_id}的暂停删除")
    if not work.rights.release(hold_id, now, actor):
        raise Conflict(f"暂停删除{hold_id}已经解除")
    work.audit.write(now, actor, RELEASED, f"elder:{found.elder_id}", {"hold_id": hold_id})
