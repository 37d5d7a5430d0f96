"""时间银行: a visitor's own statement, and for the desk the balances, statements and reversals."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote

import xlsxwriter
from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.db import FOREVER
from storage.model import Point, PointSum, Visitor
from visits import timebank
from web.access import AtTheDoor, Desk, Reader, Viewer
from web.forms import Posted
from web.navigation import READERS, VISITORS, NavItem
from web.pages.visitor import visitor_id_of
from web.paging import PAGE_ROWS, Page, Pager
from web.services import House, Services
from web.texts import at_full
from xunfang.errors import NotFound
from xunfang.vocabulary import PointKind, zh

NAV = (
    NavItem("我的积分", "/visit/points", VISITORS, 20),
    NavItem("时间银行", "/points", READERS, 66, key="b"),
)
STATEMENT, BALANCES = "points", "balances of points"
SHEET_ROWS = 5000  # of one statement; more than anybody earns in years
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
router = APIRouter()


@router.get("/visit/points")
def own(request: Request, viewer: AtTheDoor, services: Services, after: str = "") -> Response:
    context = _statement(services, visitor_id_of(viewer), after)
    return services.render.page(request, "visitor/points.html", **context)


@router.get("/visit/points.xlsx")
def own_sheet(viewer: AtTheDoor, services: Services) -> Response:
    return _sheet(services, visitor_id_of(viewer))


@router.get("/points")
def balances(request: Request, viewer: Reader, services: Services, after: str = "") -> Response:
    pager = Pager(services.store, BALANCES)
    key = pager.key(after)
    after_id = int(str(key[0])) if key else 0
    with services.store.read() as work:
        rows = work.points.sums(PAGE_ROWS + 1, after_id, viewer.area_id)
    page: Page[PointSum] = pager.page(rows, PAGE_ROWS, lambda each: (each.visitor_id,))
    rules = services.config.doorstep.timebank
    return services.render.page(request, "visitor/balances.html", page=page, rules=rules)


@router.get("/points/{visitor_id}")
def statement(
    request: Request, viewer: Reader, services: Services, visitor_id: int, after: str = ""
) -> Response:
    with services.store.read() as work:
        _visitor(work, viewer, visitor_id)
    context = _statement(services, visitor_id, after)
    return services.render.page(request, "visitor/statement.html", **context)


@router.get("/points/{visitor_id}/sheet.xlsx")
def sheet(viewer: Reader, services: Services, visitor_id: int) -> Response:
    with services.store.read() as work:
        _visitor(work, viewer, visitor_id)
    return _sheet(services, visitor_id)


@router.post("/points/entries/{id}/reverse")
def reverse(request: Request, viewer: Desk, services: Services, fields: Posted, id: int) -> Response:
    with services.store.begin() as work:
        entry = work.points.get(id)
        if entry is None:
            raise NotFound("没有这笔积分")
        _visitor(work, viewer, entry.visitor_id)
        timebank.reverse(work, id, str(viewer.actor), fields.raw("why"), services.now())
    return services.render.redirect(request, f"/points/{entry.visitor_id}", said="已冲销")


def _visitor(work: Work, viewer: Viewer, visitor_id: int) -> Visitor:
    found = work.visitors.get(visitor_id)
    if found is None or not viewer.sees(work, found.area_id):
        raise NotFound("没有这位巡访员")
    return found


def _statement(services: House, visitor_id: int, after: str) -> dict[str, Any]:
    pager = Pager(services.store, STATEMENT)
    key = pager.key(after)
    before = int(str(key[0])) if key else FOREVER
    with services.store.read() as work:
        visitor = work.visitors.get(visitor_id)
        rows = work.points.of(visitor_id, PAGE_ROWS + 1, before)
        balance = work.points.total(visitor_id)
        undone = work.points.reversed(each.id for each in rows)
    if visitor is None:
        raise NotFound("没有这位巡访员")
    page: Page[Point] = pager.page(rows, PAGE_ROWS, lambda each: (each.id,))
    rules = services.config.doorstep.timebank
    earns = visitor.kind in rules.who
    return {
        "page": page,
        "visitor": visitor,
        "balance": balance,
        "undone": undone,
        "rules": rules,
        "earns": earns,
        "kinds": PointKind,
        "source_zh": _source_zh,
    }


def _source_zh(entry: Point) -> str:
    kind, _, id = entry.source.partition(":")
    return f"第{id}笔" if kind == "reversal" else f"巡访记录{id}"


def _sheet(services: House, visitor_id: int) -> Response:
    with services.store.read() as work:
        visitor = work.visitors.get(visitor_id)
        rows = work.points.of(visitor_id, SHEET_ROWS)
        balance = work.points.total(visitor_id)
    if visitor is None:
        raise NotFound("没有这位巡访员")
    out, zone = io.BytesIO(), services.config.zone
    # Whoever typed a reason beginning with "=" has not written a formula.
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    page = book.add_worksheet("积分明细")
    bold = book.add_format({"bold": True})
    page.write_row(0, 0, [f"时间银行积分明细：{visitor.name}", "", "", f"结余{balance}分"], bold)
    page.write_row(1, 0, ["编号", "时间", "类别", "积分", "说明", "依据"], bold)
    for line, each in enumerate(reversed(rows), start=2):
        cells = [each.id, at_full(each.at, zone), zh(each.kind), each.points, each.why, _source_zh(each)]
        page.write_row(line, 0, cells)
    page.set_column(1, 1, 20)
    page.set_column(4, 4, 48)
    page.set_column(5, 5, 16)
    book.close()
    name = quote(f"时间银行积分_{visitor_id}.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(out.getvalue(), media_type=XLSX, headers=headers)
