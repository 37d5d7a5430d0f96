"""For machines that watch: /healthz (the process), /readyz (the database), /metrics (Prometheus)."""

from __future__ import annotations

import hmac
import ipaddress

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from web.services import House, Services

router = APIRouter()


@router.get("/healthz")
def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(services: Services) -> PlainTextResponse:
    """503 through StorageError: unreachable, not migrated, or of another key."""
    services.store.check()
    return PlainTextResponse("ready\n")


@router.get("/metrics")
def metrics(request: Request, services: Services) -> Response:
    if not _may_read(request, services):
        raise HTTPException(404)
    text = services.metrics.text(services.store, services.now())
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _may_read(request: Request, services: House) -> bool:
    """With the token from anywhere; without one only from this machine and through no proxy."""
    token = services.config.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token:
        return hmac.compare_digest(token.encode(), given.encode())
    forwarded = {"x-forwarded-for", "forwarded", "x-real-ip"} & set(request.headers)
    return not forwarded and request.client is not None and _is_loopback(request.client.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
