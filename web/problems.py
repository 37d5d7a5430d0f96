"""What went wrong, in words for people: a page, a line on the page for htmx, problem+json (RFC 9457).

Messages of errors of ours (xunfang.errors) are written for the person who made the request when they are
Chinese; others are replaced by a general sentence. A message never holds personal data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from web.templating import environment
from xunfang import log
from xunfang.errors import BadInput, Conflict, NotFound, StorageError, XunfangError

API = "/api/"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")

# status -> (title, what to do)
WORDS: dict[int, tuple[str, str]] = {
    400: ("填写有误", "请检查填写的内容后再提交。"),
    401: ("请先登录", "登录已过期，请重新登录。"),
    403: ("请求被拒绝", "这个操作不被允许。"),
    404: ("没有这个页面", "地址可能有误，或者需要先登录，或者不在您的管辖范围内。"),
    409: ("已被他人处理", "请刷新页面，查看最新情况。"),
    413: ("内容太大", "请缩小后再提交。"),
    422: ("填写有误", "请检查填写的内容后再提交。"),
    429: ("操作过于频繁", "请稍后再试。"),
    500: ("系统出错", "已记录，请稍后再试；如一直出错，请联系管理员。"),
    503: ("暂时无法使用", "数据库暂时无法访问，请稍后再试。"),
}


def problem(scope: Scope, status: int, title: str = "", text: str = "") -> Response:
    """The answer for this request; words left out are those of the status."""
    known = WORDS.get(status, WORDS[400 if status < 500 else 500])
    title, text = title or known[0], text or known[1]
    headers = Headers(scope=scope)
    if str(scope["path"]).startswith(API):
        body = {"type": "about:blank", "title": title, "status": status, "detail": text}
        return Response(json.dumps(body, ensure_ascii=False), status, media_type="application/problem+json")
    if headers.get("hx-request") == "true":
        line = environment().get_template("parts/said.html").render(said=f"{title}：{text}", tone="danger")
        return HTMLResponse(line, status, {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"})
    nonce = scope.get("state", {}).get("csp_nonce", "")
    signed_in = "viewer" in scope.get("state", {})
    page = environment().get_template("problem.html")
    back = quote(scope["path"], safe="/") if scope["method"] == "GET" else ""
    html = page.render(
        status=status, title=title, text=text, back=back, signed_in=signed_in, csp_nonce=nonce, viewer=None
    )
    return HTMLResponse(html, status)


def said_to_people(error: XunfangError) -> str:
    """The error's own message when it is written in Chinese, else nothing."""
    return str(error) if _CHINESE.search(str(error)) else ""


def status_of(error: XunfangError) -> int:
    kinds = ((NotFound, 404), (Conflict, 409), (BadInput, 400), (StorageError, 503))
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)


Handler = Callable[[Request, Exception], Awaitable[Response]]


def register(app: FastAPI) -> None:
    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = 404 if error.status_code == 405 else error.status_code
        text = error.detail if isinstance(error.detail, str) and _CHINESE.search(error.detail) else ""
        return problem(request.scope, status, text=text)

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, XunfangError)
        status = status_of(error)
        if status >= 500:
            log.get_logger("web").error("web.failed", error=str(error), kind=type(error).__name__)
        return problem(request.scope, status, text=said_to_people(error))

    async def invalid(request: Request, error: Exception) -> Response:
        """A path or a query that is no number is simply a page that does not exist."""
        assert isinstance(error, RequestValidationError)
        places = {str(each["loc"][0]) for each in error.errors()}
        is_api = request.url.path.startswith(API)
        return problem(request.scope, 404 if places == {"path"} and not is_api else 422)

    async def crashed(request: Request, error: Exception) -> Response:
        log.get_logger("web").error("web.crashed", kind=type(error).__name__)
        return problem(request.scope, 500)

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(XunfangError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, crashed)
