"""保存期限: erase what is over its period, in short transactions, and write down how much (never what).

A run may be interrupted anywhere and be repeated: files go first, then their rows are marked; what is marked
is not looked at again. What must be kept meanwhile: storage.repository_retention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.files import SealedFiles, remove_recording
from xunfang.log import get_logger

if TYPE_CHECKING:
    from storage import Store, Work

ACTOR = "system"
ERASED, RAN = "retention.erased", "retention.ran"  # audit kinds
SUBJECT = "retention"
BATCH_ROWS = 200  # of a transaction: SQLite has one writer, keep it free
_log = get_logger("records")


@dataclass(frozen=True, slots=True)
class Periods:
    """Days that each kind is kept; 0: for ever. Why these: docs/privacy.md."""

    recordings: int = 90
    transcripts: int = 365
    records: int = 1095
    notices: int = 180
    access: int = 1095


@dataclass(frozen=True, slots=True)
class Folders:
    recordings: Path
    photos: Path


@dataclass(frozen=True, slots=True)
class Report:
    """Rows erased, or with `dry_run` rows that would be, by kind; `files` that were removed."""

    dry_run: bool
    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    failed: int = 0  # files that the disk did not give up; tried again by the next run


@dataclass(frozen=True, slots=True)
class _Kind:
    """`files` removes what lies on the disk and returns the ids that may be marked."""

    name: str
    title: str
    period: str  # field of Periods
    over: Callable[[Work, datetime], Any]
    erase: Callable[[Work, Sequence[int], datetime], None]
    files: Callable[[Work, Folders, Sequence[int]], _Gone] | None = None


@dataclass(frozen=True, slots=True)
class _Gone:
    ids: Sequence[int]
    files: int = 0
    failed: int = 0


def _recordings(work: Work, folders: Folders, ids: Sequence[int]) -> _Gone:
    gone, files, failed = [], 0, 0
    for id in ids:
        try:
            for path in work.retention.paths([id]):
                files += remove_recording(folders.recordings, path)
        except OSError as error:
            failed += 1
            _log.warning("retention.file_stays", call_id=id, why=error.strerror)
        else:
            gone.append(id)
    return _Gone(gone, files, failed)


def _photos(work: Work, folders: Folders, ids: Sequence[int]) -> _Gone:
    sealed, gone, files, failed = SealedFiles(folders.photos), [], 0, 0
    for id in ids:
        try:
            for name in work.retention.files_of([id]):
                sealed.remove(name)
                files += 1
        except OSError as error:
            failed += 1
            _log.warning("retention.file_stays", form_id=id, why=error.strerror)
        else:
            gone.append(id)
    return _Gone(gone, files, failed)


KINDS: tuple[_Kind, ...] = (
    _Kind(
        "recordings",
        "通话录音",
        "recordings",
        lambda work, before: work.retention.over_recordings(before),
        lambda work, ids, now: work.retention.recordings_gone(ids, now),
        _recordings,
    ),
    _Kind(
        "transcripts",
        "通话文字与回答原话",
        "transcripts",
        lambda work, before: work.retention.over_texts(before),
        lambda work, ids, now: work.retention.erase_texts(ids, now),
    ),
    _Kind(
        "case_evidence",
        "案件摘要与证据原话",
        "transcripts",
        lambda work, before: work.retention.over_case_texts(before),
        lambda work, ids, now: work.retention.erase_case_texts(ids, now),
    ),
    _Kind(
        "incoming_numbers",
        "来电号码",
        "transcripts",
        lambda work, before: work.retention.over_incoming(before),
        lambda work, ids, now: work.retention.erase_incoming(ids, now),
    ),
    _Kind(
        "records",
        "探访情况",
        "records",
        lambda work, before: work.retention.over_records(before),
        lambda work, ids, now: work.retention.erase_records(ids, now),
    ),
    _Kind(
        "case_notes",
        "处置情况",
        "records",
        lambda work, before: work.retention.over_notes(before),
        lambda work, ids, now: work.retention.erase_notes(ids, now),
    ),
    _Kind(
        "door_forms",
        "上门记录、照片与签名",
        "records",
        lambda work, before: work.retention.over_forms(before),
        lambda work, ids, now: work.retention.erase_forms(ids, now),
        _photos,
    ),
    _Kind(
        "notices",
        "通知",
        "notices",
        lambda work, before: work.retention.over_notices(before),
        lambda work, ids, now: work.retention.delete_notices(ids, now),
    ),
    _Kind(
        "audit",
        "操作与查阅记录",
        "access",
        lambda work, before: work.retention.over_audit(before),
        lambda work, ids, now: work.retention.delete_audit(ids, now),
    ),
)
TITLES: Mapping[str, str] = {each.name: each.title for each in KINDS}


def run(
    store: Store,
    periods: Periods,
    folders: Folders,
    now: datetime,
    *,
    dry_run: bool = False,
    actor: str = ACTOR,
    batch: int = BATCH_ROWS,
) -> Report:
    """Every kind whose period is not 0. One machine at a time: call it under `store.leading`."""
    report = Report(dry_run)
    for kind in KINDS:
        days = getattr(periods, kind.period)
        if not days:
            continue
        before = now - timedelta(days=days)
        if dry_run:
            with store.read() as work:
                report.rows[kind.name] = work.retention.count(kind.over(work, before))
            continue
        report = _erase(store, kind, before, folders, now, actor, batch, report)
    if not dry_run:
        with store.begin() as work:
            detail = {"rows": report.rows, "files": report.files, "failed": report.failed}
            kept = {each.name: getattr(periods, each.name) for each in fields(periods)}
            work.audit.write(now, actor, RAN, SUBJECT, detail | {"days": kept})
    return report


def _erase(
    store: Store,
    kind: _Kind,
    before: datetime,
    folders: Folders,
    now: datetime,
    actor: str,
    batch: int,
    report: Report,
) -> Report:
    rows = files = failed = 0
    while True:
        with store.read() as work:
            ids = work.retention.keys(kind.over(work, before), batch)
            gone = _Gone(ids) if kind.files is None else kind.files(work, folders, ids)
        files += gone.files
        failed = gone.failed
        if not gone.ids:
            break
        with store.begin() as work:
            kind.erase(work, gone.ids, now)
            detail = {
                "kind": kind.name,
                "rows": len(gone.ids),
                "files": gone.files,
                "before": before.isoformat(),
            }
            work.audit.write(now, actor, ERASED, SUBJECT, detail | {"ids": list(gone.ids)})
        rows += len(gone.ids)
        if len(ids) < batch:
            break
    counts = report.rows | {kind.name: rows}
    removed = report.files | ({kind.name: files} if kind.files is not None else {})
    return Report(False, counts, removed, report.failed + failed)


def run_daily(
    store: Store, periods: Periods, folders: Folders, now: datetime, today: Callable[[datetime], Any], by: str
) -> Report | None:
    """None: it was done today, or another machine does it. A day that was interrupted is begun again."""
    with store.leading(SUBJECT) as first:
        if not first:
            return None
        with store.begin() as work:
            last = work.recurring.get(SUBJECT)
            if last is not None and last.ended_at is not None and today(last.ended_at) >= today(now):
                return None
            work.recurring.began(SUBJECT, now, by)
        done = run(store, periods, folders, now)
        with store.begin() as work:
            work.recurring.ended(
                SUBJECT, now, {"rows": done.rows, "files": done.files, "failed": done.failed}
            )
        return done
