"""What the routers share: ids, words with their Chinese, pages, versions (ETag), requests done once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from storage import Store, Work
from storage.model import Area, Elder
from web.api.access import Caller
from web.api.problem import ApiError
from web.paging import Key, Pager
from web.services import House, Services
from xunfang.errors import Conflict, NotFound
from xunfang.vocabulary import zh

LARGEST_ID = 2**53 - 1  # what every JSON reader holds exactly
KEPT_FOR = timedelta(days=1)  # answers under an Idempotency-Key
NO_NUL = r"^[^\x00]*$"  # PostgreSQL stores no NUL
_ETAG_CHARS = 24
_PRIVATE = {"Cache-Control": "private, no-store"}

Id = Annotated[int, Path(ge=1, le=LARGEST_ID, description="编号", examples=[1])]
ElderQuery = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="只看这位老人")]
Limit = Annotated[int, Query(ge=1, le=200, description="每页多少条")]
Cursor = Annotated[str, Query(max_length=500, pattern=NO_NUL, description="上一页给出的 next；第一页不填")]
AreaQuery = Annotated[
    str,
    Query(
        pattern=r"^([0-9]{12})?$",
        description="只看这个区划及其下属：12 位统计代码",
        examples=["220183101205"],
    ),
]


def _sane(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError("out of range")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_sane)]
Since = Annotated[
    Moment | None, Query(description="从这一时刻起（含时区）", examples=["2026-11-01T00:00:00+08:00"])
]


class Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def words(vocabulary: type[StrEnum], what: str = "") -> str:
    """For descriptions: every word with its Chinese."""
    listed = "；".join(f"`{each.value}` {zh(each)}" for each in vocabulary)
    return f"{what}：{listed}" if what else listed


class AreaOut(Out):
    code: str = Field(description="12 位统计代码", examples=["220183101205"])
    name: str = Field(examples=["幸福村"])


def area_out(area: Area | None) -> AreaOut | None:
    return None if area is None else AreaOut(code=area.code, name=area.name)


def area_asked(work: Work, caller: Caller, code: str) -> int | None:
    """Empty: all that the token sees. NotFound also for an area of somebody else."""
    if not code:
        return caller.area_id
    found = work.areas.by_code(code)
    if found is None or not caller.viewer.sees(work, found.id):
        raise NotFound("没有这个区划")
    return found.id


def elder_asked(work: Work, caller: Caller, elder_id: int | None) -> Elder | None:
    return None if elder_id is None else caller.viewer.elder(work, elder_id)


# ---- pages ------------------------------------------------------------------------------------------

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(Out, Generic[Item]):
    items: list[Item]
    next: str | None = Field(description="下一页的 cursor；没有更多时为 null")


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of one list: ask for `limit + 1` rows after `key`."""

    limit: int
    pager: Pager
    key: tuple[Key, ...] | None

    @classmethod
    def of(cls, store: Store, name: str, limit: int, cursor: str) -> Paging:
        pager = Pager(store, f"api {name}")
        return cls(limit, pager, pager.key(cursor))

    @property
    def id(self) -> int | None:
        """Of lists whose key is an id."""
        return None if self.key is None else int(str(self.key[0]))

    def next(self, rows: Sequence[Row], key_of: Callable[[Row], tuple[Key, ...]]) -> str | None:
        return self.pager.page(rows, self.limit, key_of).next or None


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


One = TypeVar("One", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked of a list by id, newest first: of an area, perhaps of one elder."""

    house: House
    area: str
    elder_id: int | None
    cursor: str
    limit: int

    def newest(
        self,
        caller: Caller,
        name: str,
        ask: Callable[[Work, int | None, int, int], Sequence[One]],
        show: Callable[[One], BaseModel],
    ) -> Response:
        """`ask(work, area_id, how many, before which id)`."""
        paging = Paging.of(self.house.store, name, self.limit, self.cursor)
        with self.house.store.read() as work:
            elder_asked(work, caller, self.elder_id)
            area_id = area_asked(work, caller, self.area)
            found = ask(work, area_id, self.limit + 1, paging.id or LARGEST_ID)
        items = [show(each) for each in found[: self.limit]]
        return answered(Page[Any](items=items, next=paging.next(found, lambda each: (each.id,))))


def _listing(
    services: Services,
    area: AreaQuery = "",
    elder_id: ElderQuery = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Listing:
    return Listing(services, area, elder_id, cursor, limit)


Asked = Annotated[Listing, Depends(_listing)]


# ---- versions -----------------------------------------------------------------------------------------

IfMatch = Annotated[
    str | None, Header(max_length=200, description="读到的 ETag；内容已变化时答 412，什么也不做")
]


def etag(store: Store, thing: object) -> str:
    """Of all that is stored of it, also of what is masked in the answer; keyed, so that it tells nothing."""
    return f'"{store.vault.sign("api etag", repr(_full(thing)))[:_ETAG_CHARS]}"'


def _full(thing: object) -> object:
    """repr() of our dataclasses leaves personal fields out."""
    names = getattr(type(thing), "__dataclass_fields__", None)
    if names is None:
        return sorted(thing) if isinstance(thing, frozenset) else thing
    return [(name, _full(getattr(thing, name))) for name in names]


def check_version(store: Store, thing: object, if_match: str | None, *, required: bool = False) -> None:
    if if_match is None:
        if required:
            raise ApiError(428)
        return
    given = {each.strip().removeprefix("W/") for each in if_match.split(",")}
    current = etag(store, thing)
    if "*" not in given and current not in given:
        raise ApiError(412, headers={"ETag": current})


def answered(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Never kept by anybody in between."""
    return JSONResponse(body.model_dump(mode="json"), status, {**_PRIVATE, **(headers or {})})


# ---- once ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Once:
    """Runs an unsafe request in one transaction; under an Idempotency-Key at most once in a day, and the
    answer of the first time is given again. Of two at the same moment the second waits for the first."""

    house: House
    key: str
    fingerprint: str

    def run(self, caller: Caller, do: Callable[[Work], BaseModel], status: int = 200) -> Response:
        now = self.house.now()
        with self.house.store.begin() as work:
            if self.key:
                work.kept_answers.purge(now - KEPT_FOR)
                kept = work.kept_answers.begin(caller.token.id, self.key, self.fingerprint, now)
                if kept is not None:
                    return self._again(kept.fingerprint, kept.status, kept.body)
            body = do(work).model_dump(mode="json")
            if self.key:
                text = json.dumps(body, ensure_ascii=False)
                work.kept_answers.finish(caller.token.id, self.key, status, text)
        return JSONResponse(body, status, _PRIVATE)

    def _again(self, fingerprint: str, status: int, body: str) -> Response:
        if fingerprint != self.fingerprint:
            raise ApiError(422, "这个 Idempotency-Key 已用于另一个请求，请换一个。")
        if not status:
            raise Conflict("同一个请求正在处理，请稍后再试")
        return JSONResponse(json.loads(body), status, {**_PRIVATE, "Idempotency-Replayed": "true"})


async def _once(
    request: Request,
    services: Services,
    idempotency_key: Annotated[
        str,
        Header(
            max_length=128,
            pattern=r"^[!-~]*$",
            description="同一个请求重发时用同一个值（如 UUID）：一天之内只做一次，答复相同",
            examples=["7f9c2b1e-2f6b-4a0e-9a51-0d3a5f1c7c11"],
        ),
    ] = "",
) -> Once:
    body = await request.body()
    text = f"{request.method} {request.url.path}\n".encode() + body
    return Once(services, idempotency_key, hashlib.sha256(text).hexdigest())


DoneOnce = Annotated[Once, Depends(_once)]


def _query_names(dependant: Dependant) -> set[str]:
    found = {each.alias for each in dependant.query_params}
    return found.union(*(_query_names(each) for each in dependant.dependencies))


def known_query(request: Request) -> None:
    """A filter that is misspelt must not show everything: unknown parameters are refused."""
    route = request.scope.get("route")
    known = _query_names(route.dependant) if isinstance(route, APIRoute) else set()
    if unknown := set(request.query_params) - known:
        wrong = [{"field": f"query.{each}"[:200], "text": "没有这个参数"} for each in sorted(unknown)[:50]]
        raise ApiError(422, errors=wrong)


def detail(**values: Any) -> dict[str, Any]:
    """Of the audit: through the API."""
    return {"by": "api", **values}
