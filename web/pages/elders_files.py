"""台账 in and out as files. An import is looked at first, row by row, and then carried out or not.

The file waits, readable by this process's user only, in a folder of its own until it is imported, given
up, or half an hour old. Both passes run in a thread; the page asks for their progress. What runs is kept
in this process: after a restart the file has to be uploaded again, which the page says.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from web.access import Desk, Viewer
from web.forms import Posted
from web.ledger import ImportReport, LedgerDesk
from web.pages.elders import area_of
from web.pages.reports import XLSX
from web.services import House, Services
from xunfang import log
from xunfang.errors import BadInput, Conflict, NotFound, XunfangError
from xunfang.vocabulary import UserRole

ENDINGS = (".xlsx", ".csv")
KEPT = timedelta(minutes=30)
MOST_WAITING = 8  # files at once in this process
CHUNK = 64 * 1024
CSV = "text/csv; charset=utf-8"
COUNTS = {"created": "新增", "changed": "修改", "unchanged": "不变", "refused": "不导入"}
router = APIRouter()
_log = log.get_logger("web.import")

Stage = Literal["looking", "looked", "writing", "written", "failed"]


@dataclass(slots=True)
class Upload:
    """One file and what was found in it. Belongs to who sent it."""

    login: str
    folder: Path
    name: str
    at: datetime
    create_areas: bool
    stage: Stage = "looking"
    done: int = 0
    total: int | None = None
    report: ImportReport | None = field(default=None, repr=False)
    error: str = ""

    @property
    def path(self) -> Path:
        return self.folder / ("ledger" + Path(self.name).suffix.lower())

    @property
    def refused(self) -> Path:
        return self.folder / "refused.csv"

    @property
    def busy(self) -> bool:
        return self.stage in ("looking", "writing")


class Uploads:
    """Of one app. Whatever is too old goes when the next one comes, the rest when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, Upload] = {}
        weakref.finalize(self, _remove, self._all)

    def add(self, upload: Upload, now: datetime) -> str:
        with self._lock:
            for token, old in list(self._all.items()):
                if not old.busy and now - old.at > KEPT:
                    self._drop(token)
            if len(self._all) >= MOST_WAITING:
                shutil.rmtree(upload.folder, ignore_errors=True)
                raise Conflict("正在处理的文件太多，请稍后再上传")
            token = token_urlsafe(16)
            self._all[token] = upload
            return token

    def get(self, token: str, login: str) -> Upload:
        with self._lock:
            found = self._all.get(token)
        if found is None or found.login != login:
            raise NotFound("这份文件已经不在（导入完成、超过半小时或系统重启过），请重新上传")
        return found

    def begin(self, upload: Upload) -> None:
        """From looked at to being written: once, whoever presses twice."""
        with self._lock:
            if upload.stage != "looked":
                raise Conflict("这份文件正在导入，或已经导入")
            upload.stage, upload.done = "writing", 0

    def give_up(self, token: str) -> None:
        with self._lock:
            if token in self._all and not self._all[token].busy:
                self._drop(token)

    def _drop(self, token: str) -> None:
        shutil.rmtree(self._all.pop(token).folder, ignore_errors=True)


def _remove(uploads: dict[str, Upload]) -> None:
    for each in uploads.values():
        shutil.rmtree(each.folder, ignore_errors=True)


def _uploads(request: Request) -> Uploads:
    state = request.app.state
    if not hasattr(state, "uploads"):
        state.uploads = Uploads()
    found = state.uploads
    assert isinstance(found, Uploads)
    return found


def _desk(services: House) -> LedgerDesk:
    if services.config.ledger is None:
        raise NotFound("这里不能导入和导出台账")
    return services.config.ledger


@router.get("/elders/files")
def index(request: Request, viewer: Desk, services: Services, area: str = "") -> Response:
    _desk(services)
    with services.store.read() as work:
        top = area_of(work, viewer, area)
        total = work.ledger.count(top.id if top else None)
    return services.render.page(
        request,
        "elders/files.html",
        top=top,
        total=total,
        admin=viewer.role is UserRole.COUNTY_ADMIN,
        megabytes=services.config.body_bytes // (1024 * 1024),
    )


# ---- in ------------------------------------------------------------------------------------------------


@router.post("/elders/import")
def upload(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    _desk(services)
    files = fields.files("file")
    if not files:
        raise BadInput("请选择一个 .xlsx 或 .csv 文件")
    name = files[0].filename or ""
    if not name.lower().endswith(ENDINGS):
        raise BadInput("只能导入 .xlsx 或 .csv 文件；旧的 .xls 请先在表格软件里另存为 .xlsx")
    folder = Path(tempfile.mkdtemp(prefix="xunfang-import-"))  # mode 0700
    create_areas = fields.flag("create_areas") and viewer.role is UserRole.COUNTY_ADMIN
    made = Upload(viewer.user.login, folder, name, services.now(), create_areas)
    with made.path.open("wb") as file:
        shutil.copyfileobj(files[0].file, file)
    token = _uploads(request).add(made, services.now())
    _start(services, viewer, made, dry_run=True)
    return services.render.redirect(request, f"/elders/import/{token}")


@router.get("/elders/import/{token}")
def progress(request: Request, viewer: Desk, services: Services, token: str) -> Response:
    return services.render.page(
        request,
        "elders/import.html",
        block="progress",
        token=token,
        upload=_uploads(request).get(token, viewer.user.login),
        counts=COUNTS,
    )


@router.post("/elders/import/{token}")
def carry_out(request: Request, viewer: Desk, services: Services, fields: Posted, token: str) -> Response:
    uploads = _uploads(request)
    found = uploads.get(token, viewer.user.login)
    if fields.raw("step") == "give_up":
        uploads.give_up(token)
        return services.render.redirect(request, "/elders/files", "已取消，文件已删除")
    uploads.begin(found)
    _start(services, viewer, found, dry_run=False)
    return services.render.redirect(request, f"/elders/import/{token}")


@router.get("/elders/import/{token}/refused.csv")
def refused(request: Request, viewer: Desk, token: str) -> Response:
    """The rows that were not taken, with the reasons: mended, it can be imported as it is."""
    found = _uploads(request).get(token, viewer.user.login)
    if found.stage != "written" or not found.refused.exists():
        raise NotFound("没有不导入的行")
    return _file(found.refused.read_bytes(), CSV, "refused.csv")


def _start(services: House, viewer: Viewer, made: Upload, *, dry_run: bool) -> None:
    threading.Thread(target=_run, args=(services, viewer, made, dry_run), daemon=True).start()


def _run(services: House, viewer: Viewer, made: Upload, dry_run: bool) -> None:
    def told(done: int, total: int | None) -> None:
        made.done, made.total = done, total

    try:
        made.report = _desk(services).import_file(
            services.store,
            made.path,
            services.now(),
            services.config.zone,
            str(viewer.actor),
            dry_run=dry_run,
            create_areas=made.create_areas,
            within=viewer.area_id,
            refused=None if dry_run else made.refused,
            progress=told,
        )
        made.stage = "looked" if dry_run else "written"
    except BadInput as error:
        made.error, made.stage = str(error), "failed"
    except XunfangError:
        made.error, made.stage = "数据库暂时无法访问。已写入的行会保留，稍后可以再导入同一份文件。", "failed"
    except Exception as error:  # of a thread nobody waits for: the page must not turn for ever
        _log.error("import.failed", error=type(error).__name__)
        made.error, made.stage = "文件读不出来，可能已损坏。请在表格软件里重新保存后再上传。", "failed"
    finally:
        if not dry_run:
            made.path.unlink(missing_ok=True)


# ---- out -----------------------------------------------------------------------------------------------


@router.get("/elders/template.xlsx")
def template(viewer: Desk, services: Services) -> Response:
    with tempfile.TemporaryDirectory(prefix="xunfang-export-") as folder:
        path = Path(folder) / "ledger-template.xlsx"
        _desk(services).template(path)
        return _file(path.read_bytes(), XLSX, path.name)


@router.post("/elders/export")
def export(viewer: Desk, services: Services, fields: Posted) -> Response:
    """Numbers masked; in full only for the county's admin, and audited either way."""
    full = fields.flag("full")
    if full and viewer.role is not UserRole.COUNTY_ADMIN:
        raise NotFound("完整号码只能由县级管理员导出")
    kind = "csv" if fields.raw("kind") == "csv" else "xlsx"
    with services.store.read() as work:
        top = area_of(work, viewer, fields.raw("area"))
    folder = Path(tempfile.mkdtemp(prefix="xunfang-export-"))
    path = folder / f"ledger-{top.code if top else 'all'}.{kind}"
    try:
        _desk(services).export_file(
            services.store,
            path,
            services.now(),
            services.config.zone,
            str(viewer.actor),
            full=full,
            area_id=top.id if top else None,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise

    def pieces() -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                while piece := file.read(CHUNK):
                    yield piece
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return StreamingResponse(pieces(), media_type=CSV if kind == "csv" else XLSX, headers=_headers(path.name))


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers=_headers(name))
