"""The sound of a call: peaks, the recording by ranges, and a call that still goes on.

Every playback is in the audit, once per opened page: the page carries a token of its own, signed for this
call and this person, and no sound leaves without one. A browser asks for ranges as often as it likes.
"""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from storage import Work
from web import audio
from web.access import Reader, Viewer
from web.audio import Sound
from web.services import House, Services
from xunfang.errors import NotFound

router = APIRouter()
PLAYED = "recording.played"  # audit kind
LISTENED_IN = "call.listened_in"
_PURPOSE = "listen"
_SIGNATURE_CHARS = 32
_PRIVATE = {"Cache-Control": "private, no-store"}


def view_token(house: House, viewer: Viewer, call_id: int) -> str:
    """For one opened page; of no use to anybody else, or for another call."""
    view = secrets.token_urlsafe(9)
    return f"{view}.{house.store.vault.sign(_PURPOSE, _claim(viewer, call_id, view))[:_SIGNATURE_CHARS]}"


def _claim(viewer: Viewer, call_id: int, view: str) -> str:
    return f"{call_id} {viewer.user.login} {view}"


def _view(house: House, viewer: Viewer, call_id: int, token: str) -> str:
    """NotFound for a token that was not made for this person and this call."""
    view, _, signature = token.partition(".")
    claim = _claim(viewer, call_id, view)
    if not view or not house.store.vault.is_signed(_PURPOSE, claim, signature, _SIGNATURE_CHARS):
        raise NotFound("请从通话页面播放录音")
    return view


def _noted(work: Work, call_id: int, view: str, kind: str) -> bool:
    """Whether this view is in the audit already: a browser asks for many ranges."""
    return any(
        each.kind == kind and each.detail.get("view") == view for each in work.audit.of(f"call:{call_id}")
    )


def _heard(house: House, viewer: Viewer, call_id: int, token: str, kind: str) -> audio.Recording:
    """What may be played now, after it was noted who plays it."""
    view = _view(house, viewer, call_id, token)
    with house.store.read() as work:
        found = work.calls.get(call_id)
        if found is None:
            raise NotFound("没有这通电话")
        viewer.elder(work, found.elder_id)
        noted = _noted(work, call_id, view, kind)
    recording = audio.look(house.config.recordings, found.recording)
    if recording.sound is not Sound.READY:
        raise NotFound(recording.sound.value)
    if not noted:
        with house.store.begin() as work:  # looked at again: a second range may have come meanwhile
            if not _noted(work, call_id, view, kind):
                work.audit.write(house.now(), str(viewer.actor), kind, f"call:{call_id}", {"view": view})
    return recording


@router.get("/calls/{call_id}/peaks.json")
def peaks(viewer: Reader, services: Services, call_id: int) -> Response:
    with services.store.read() as work:
        found = work.calls.get(call_id)
        if found is None:
            raise NotFound("没有这通电话")
        viewer.elder(work, found.elder_id)
    recording = audio.look(services.config.recordings, found.recording)
    if recording.path is None or recording.sound is not Sound.READY:
        raise NotFound(recording.sound.value)
    made: dict[str, Any] = audio.peaks(recording.path, keep=found.ended_at is not None)
    return JSONResponse({"duration": made["duration"], "channels": made["channels"]}, headers=_PRIVATE)


@router.get("/calls/{call_id}/recording.wav")
def recording(viewer: Reader, services: Services, call_id: int, view: str = "") -> Response:
    """Ranges, ETag and 416 are Starlette's. A file that is written while it is read is simply shorter."""
    found = _heard(services, viewer, call_id, view, PLAYED)
    assert found.path is not None
    return FileResponse(
        found.path,
        media_type="audio/wav",
        headers=_PRIVATE,
        stat_result=found.path.stat(),
        content_disposition_type="inline",
    )


@router.get("/calls/{call_id}/live.pcm")
def live(viewer: Reader, services: Services, call_id: int, view: str = "") -> Response:
    """监听: 16-bit stereo samples at 8 kHz, about one or two seconds behind the call, until it ends."""
    found = _heard(services, viewer, call_id, view, LISTENED_IN)
    assert found.path is not None

    def lives() -> bool:
        with services.store.read() as work:
            call = work.calls.get(call_id)
        return call is not None and call.ended_at is None

    if not lives():
        raise NotFound("通话已经结束，请刷新页面听录音")
    headers = _PRIVATE | {"X-Accel-Buffering": "no"}
    return StreamingResponse(
        audio.growing(found.path, lives), media_type="application/octet-stream", headers=headers
    )
