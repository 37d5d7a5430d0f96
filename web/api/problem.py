"""Errors of the API: problem+json (RFC 9457), Chinese words for people, a stable `code` for machines."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from web.problems import said_to_people, status_of
from xunfang import log
from xunfang.errors import XunfangError

MEDIA_TYPE = "application/problem+json"

# status -> (code, title, what to do)
WORDS: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "请求有误", "请检查请求的内容。"),
    401: ("unauthorized", "令牌无效", "请在 Authorization 头中给出有效的令牌：Bearer xf_…"),
    403: ("forbidden", "权限不足", "这个令牌没有所需的权限。"),
    404: ("not_found", "没有找到", "没有这个资源，或者不在令牌的管辖范围内。"),
    405: ("method_not_allowed", "不支持的方法", "这个地址不支持这种请求方法。"),
    409: ("conflict", "已被他人处理", "请重新读取最新情况后再决定。"),
    412: ("precondition_failed", "内容已变化", "If-Match 与现在的 ETag 不符，请重新读取后再决定。"),
    413: ("too_large", "内容太大", "请缩小后再提交。"),
    422: ("invalid", "内容不合要求", "请按 errors 中指出的字段修改。"),
    428: ("precondition_required", "缺少 If-Match", "修改前请先读取，并在 If-Match 头中给出读到的 ETag。"),
    429: ("too_many_requests", "请求过于频繁", "请按 Retry-After 头给出的秒数等待后再试。"),
    500: ("internal", "系统出错", "已记录，请稍后再试；如一直出错，请联系管理员。"),
    503: ("unavailable", "暂时无法使用", "数据库暂时无法访问，请稍后再试。"),
}

# pydantic's kind of error -> Chinese; what is not listed: 格式不对
_WRONG = {
    "missing": "缺少这个字段",
    "extra_forbidden": "没有这个字段",
    "enum": "不是允许的取值",
    "literal_error": "不是允许的取值",
    "string_too_long": "太长",
    "string_too_short": "太短",
    "too_long": "项目太多",
    "too_short": "项目太少",
    "int_parsing": "须为整数",
    "int_type": "须为整数",
    "bool_type": "须为 true 或 false",
    "bool_parsing": "须为 true 或 false",
    "date_from_datetime_parsing": "日期写成 2026-11-23",
    "json_invalid": "不是合法的 JSON",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
}


class WrongField(BaseModel):
    field: str = Field(description="哪个字段，如 body.phone", examples=["body.phone"])
    text: str = Field(description="哪里不对", examples=["太长"])


class Problem(BaseModel):
    """RFC 9457"""

    type: str = Field("about:blank", description="固定为 about:blank")
    title: str = Field(description="出了什么问题", examples=["已被他人处理"])
    status: int = Field(description="HTTP 状态码", examples=[409])
    code: str = Field(description="供程序判断，不会改变", examples=["conflict"])
    detail: str = Field(description="给人看的中文说明，不含个人信息")
    errors: list[WrongField] | None = Field(None, description="只在 422 时有")


class ApiError(Exception):
    """An answer that is no success; raised anywhere below an endpoint."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        headers: dict[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.errors = errors


def answer(
    status: int,
    detail: str = "",
    *,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    known = WORDS.get(status) or WORDS[400 if status < 500 else 500]
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": known[1],
        "status": status,
        "code": known[0],
        "detail": detail or known[2],
    }
    if errors is not None:
        body["errors"] = errors
    return Response(json.dumps(body, ensure_ascii=False), status, headers, media_type=MEDIA_TYPE)


def register(app: FastAPI) -> None:
    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(error.status_code, headers=dict(error.headers or {}))

    async def api(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return answer(error.status, error.detail, headers=error.headers, errors=error.errors)

    async def ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, XunfangError)
        status = status_of(error)
        if status >= 500:
            log.get_logger("web").error("api.failed", error=str(error), kind=type(error).__name__)
        return answer(status, said_to_people(error))

    async def invalid(_request: Request, error: Exception) -> Response:
        """Only where and what kind: what was sent may be personal and is not repeated."""
        assert isinstance(error, RequestValidationError)
        wrong = [
            {"field": ".".join(map(str, each["loc"]))[:200], "text": _WRONG.get(each["type"], "格式不对")}
            for each in error.errors()[:50]
        ]
        return answer(422, errors=wrong)

    async def crashed(_request: Request, error: Exception) -> Response:
        log.get_logger("web").error("api.crashed", kind=type(error).__name__)
        return answer(500)

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(ApiError, api)
    app.add_exception_handler(XunfangError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, crashed)
