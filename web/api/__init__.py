"""接口 /api/v1: the same services as the pages, as JSON for other systems (docs/api.md).

An application of its own, mounted by web.app: its own errors, its own description (OpenAPI), tokens instead
of sessions. One module a resource; what they share is in `common`.
"""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from web.api import calls, cases, elders, elders_changes, plans, problem, records, reviews
from web.api.access import Allow, Authenticated
from web.api.common import known_query
from web.api.problem import MEDIA_TYPE, WORDS, Problem
from web.services import House

PREFIX = "/api/v1"
VERSION = "1.0"
_ABOUT = """巡访的接口。每个请求都要带 `Authorization: Bearer xf_…`；令牌由县级管理员在“接口”页面或用
`xunfang token add` 生成，按权限和区划限定。

- 列表按键翻页：把答复里的 `next` 作为 `cursor` 再问；`next` 为 null 即到底。
- 错误都是 `application/problem+json`（RFC 9457），`detail` 是中文，`code` 供程序判断。
- 会写入的 POST 可带 `Idempotency-Key`：一天之内同一个值只做一次，重发得到同样的答复。
- 电话和身份证号遮盖；只有带 `elders:reveal` 权限并要求时才给完整号码，每次记入审计。
- 时刻都是 ISO 8601，带时区。
"""
_ALWAYS = (401, 403, 422, 429, 503)
_FOUND = (404,)
_WRITES = (400, 404, 409, 412, 428)


def create_api(house: House | None = None) -> FastAPI:
    """`house` None: only to be described."""
    api = FastAPI(
        title="巡访接口",
        version=VERSION,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
        redirect_slashes=False,
        dependencies=[Depends(known_query)],
    )
    for module in (elders, elders_changes, plans, calls, reviews, cases, records):
        api.include_router(module.router)
    problem.register(api)
    api.openapi = lambda: _described(api)  # type: ignore[method-assign]
    if house is not None:
        api.state.house = house
        api.add_middleware(Authenticated, house=house)
    return api


def describe() -> dict[str, Any]:
    """docs/openapi.json."""
    return create_api().openapi()


def _described(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is not None:
        return api.openapi_schema
    made = get_openapi(
        title=api.title,
        version=api.version,
        description=api.description,
        routes=api.routes,
        servers=api.servers,
    )
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "xf_ 开头的令牌"}
    }
    made["security"] = [{"token": []}]
    scopes = _scopes(api)
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _complete(operation, method, path, scopes[path, method])
    api.openapi_schema = made
    return made


def _complete(operation: dict[str, Any], method: str, path: str, scope: str) -> None:
    """The errors, and which scope is needed."""
    statuses = {*_ALWAYS, *(_FOUND if "{" in path or method == "get" else ()), 400}
    if method != "get":
        statuses |= set(_WRITES)
    for status in sorted(statuses):
        operation["responses"][str(status)] = {
            "description": WORDS[status][1],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    told = operation.get("description", "")
    operation["description"] = f"{told}\n\n权限：`{scope}`".strip()
    operation["x-required-scope"] = scope


def _scopes(api: FastAPI) -> dict[tuple[str, str], str]:
    found = {}
    for route in iter_route_contexts(api.routes):
        for each in getattr(getattr(route, "dependant", None), "dependencies", ()):
            if isinstance(each.call, Allow):
                for method in route.methods or ():
                    found[str(route.path), method.lower()] = each.call.scope.value
    return found


__all__ = ["PREFIX", "create_api", "describe"]
