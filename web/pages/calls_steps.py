"""What a supervisor does on a call's page: judge, correct, reveal a number, ask the dialler for something."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from storage import Work
from storage.model import Call
from storage.vault import normalise_phone
from visits import review as judging
from visits import reviewing
from web.access import Desk, Viewer
from web.forms import Fields, Posted
from web.pages.calls import call_of
from web.pages.review import QUEUE, Asked, asked, name_of, which
from web.services import House, Services
from web.texts.times import at
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CommandKind, ReviewOutcome, ReviewVerdict, zh

router = APIRouter()
REVEALED = "number.revealed"  # audit kinds
COMMANDED = "call.commanded"
SHORTEST_NUMBER, LONGEST_NUMBER = 3, 15


def _filters(fields: Fields) -> Asked:
    return asked(dict(parse_qsl(fields.raw("queue").lstrip("?"))))


def _onwards(work: Work, viewer: Viewer, house: House, fields: Fields, call_id: int) -> str:
    """The next call of the queue the supervisor works through, or the queue when there is none."""
    filters = _filters(fields)
    following = work.reviews.next(which(work, viewer, filters, house), call_id)
    return f"{QUEUE}{filters.query()}" if following is None else f"/calls/{following}{filters.query()}"


def _here(fields: Fields, call_id: int) -> str:
    return f"/calls/{call_id}{_filters(fields).query()}"


def _in_the_way(work: Work, viewer: Viewer, house: House, fields: Fields, call: Call) -> str:
    """What a colleague did since this page was shown; empty: nothing."""
    zone = house.config.zone
    review = work.reviews.get(call.id)
    if review is not None and review.done_at is None and review.claimed_by not in (None, viewer.user.login):
        who = name_of(work, review.claimed_by)
        return f"{who}已于{at(review.claimed_at, zone)}认领，正在复核；如需由您处理，请先点“接手”"
    verdicts = work.verdicts.of_call(call.id)
    if fields.raw("given") and fields.raw("given") != str(len(verdicts)):
        last = verdicts[-1]
        who = name_of(work, last.by)
        return f"{who}已于{at(last.at, zone)}判为“{zh(last.verdict)}”，请看过后再决定"
    return ""


@router.post("/calls/{call_id}/verdict")
def verdict(request: Request, viewer: Desk, services: Services, fields: Posted, call_id: int) -> Response:
    """Of one turn (`turn`), or of every alert of the call that nobody has judged."""
    word = fields.one_of("verdict", "判断", ReviewVerdict)
    reason = fields.text("other", "理由", limit=judging.REASON_CHARS, required=False) or fields.text(
        "reason", "理由", limit=judging.REASON_CHARS, required=False
    )
    turn = fields.whole("turn", "句", required=False)
    fields.check()
    assert word is not None
    now, rules = services.now(), services.config.deadlines
    with services.store.begin() as work:
        found, _ = call_of(work, viewer, call_id)
        if said := _in_the_way(work, viewer, services, fields, found):
            return services.render.redirect(request, _here(fields, call_id), said, "warning")
        turns = [turn] if turn is not None else [each.seq for each in reviewing.to_judge(work, call_id)]
        if not turns:
            raise Conflict("这通电话的报警都已判断过；要改判，请在那一句旁边改")
        given = [
            judging.give_verdict(
                work, call_id, seq, word, reason, viewer.actor, now, rules, urgent=fields.flag("urgent")
            )
            for seq in turns
        ]
        review = work.reviews.get(call_id)
        finished = review is None or review.done_at is not None
        to = _onwards(work, viewer, services, fields, call_id) if finished and turn is None else ""
        case = given[-1].case
    told = f"已判为“{zh(word)}”"
    if case is not None:
        told += f"，已立案{case.id}" if any(each.opened for each in given) else f"，属于案件{case.id}"
        if word is ReviewVerdict.FALSE_ALARM and case.closed_at is None:
            told += "（仍须填写处置情况后办结）"
    return services.render.redirect(request, to or _here(fields, call_id), told)


@router.post("/calls/{call_id}/seen")
def seen(request: Request, viewer: Desk, services: Services, fields: Posted, call_id: int) -> Response:
    """完成并下一条: for a call without an alert that waits for a verdict."""
    with services.store.begin() as work:
        found, _ = call_of(work, viewer, call_id)
        if said := _in_the_way(work, viewer, services, fields, found):
            return services.render.redirect(request, _here(fields, call_id), said, "warning")
        if waiting := len(reviewing.to_judge(work, call_id)):
            said = f"还有{waiting}处报警没有判断：属实（y）还是误报（f）？"
            return services.render.redirect(request, _here(fields, call_id), said, "warning")
        done = reviewing.seen(work, call_id, viewer.actor, services.now())
        to = _onwards(work, viewer, services, fields, call_id)
    return services.render.redirect(request, to, zh(ReviewOutcome.SEEN) if done else "")


@router.post("/calls/{call_id}/answer")
def answer(request: Request, viewer: Desk, services: Services, fields: Posted, call_id: int) -> Response:
    """更正回答: kept beside the machine's, never over it."""
    question = fields.text("question", "问题", limit=64)
    corrected = fields.text("answer", "正确的回答", limit=64)
    why = fields.text("why", "更正理由", limit=judging.REASON_CHARS)
    fields.check()
    with services.store.begin() as work:
        call_of(work, viewer, call_id)
        judging.correct_answer(
            work, call_id, question, corrected, fields.all("detail"), why, viewer.actor, services.now()
        )
    return services.render.redirect(request, _here(fields, call_id), "已更正，系统原来的回答仍然保留")


@router.post("/calls/{call_id}/reveal")
def reveal(request: Request, viewer: Desk, services: Services, fields: Posted, call_id: int) -> Response:
    """One number of this elder or of a contact, and who looked at it, in the audit."""
    whose = fields.text("whose", "看谁的号码", limit=30)
    fields.check()
    with services.store.begin() as work:
        _, elder = call_of(work, viewer, call_id)
        numbers = {"elder": elder.phone, "other": elder.other_phone or ""}
        numbers |= {f"contact:{each.id}": each.phone for each in work.contacts.of(elder.id)}
        if not numbers.get(whose):
            raise NotFound("没有登记这个号码")
        detail = {"whose": whose, "call_id": call_id}
        work.audit.write(services.now(), str(viewer.actor), REVEALED, f"elder:{elder.id}", detail)
    number = numbers[whose]
    if request.headers.get("hx-request") == "true":
        digits = "".join(each for each in number if each.isdigit() or each in "+-")
        return HTMLResponse(f'<a href="tel:{digits}">{digits}</a>')
    return services.render.redirect(request, _here(fields, call_id), f"号码：{number}（已记入查看日志）")


# ---- what is asked of the dialler ------------------------------------------------------------------


@router.post("/calls/{call_id}/command")
def command(request: Request, viewer: Desk, services: Services, fields: Posted, call_id: int) -> Response:
    """挂断、接管、立即拨打: written down here, done by the process that carries the call."""
    kind = fields.one_of("kind", "操作", CommandKind)
    number = _number(fields) if kind is CommandKind.TAKE_OVER else None
    fields.check()
    assert kind is not None
    now = services.now()
    with services.store.begin() as work:
        found, elder = call_of(work, viewer, call_id)
        if kind is not CommandKind.CALL_NOW and found.ended_at is not None:
            raise Conflict("通话已经结束")
        made = work.commands.add(
            kind=kind,
            call_id=call_id,
            elder_id=elder.id,
            number=number,
            anyway=fields.flag("anyway"),
            by=str(viewer.actor),
            at=now,
        )
        detail = {"kind": kind.value, "command_id": made.id, "anyway": made.anyway}
        work.audit.write(now, str(viewer.actor), COMMANDED, f"call:{call_id}", detail)
    return services.render.redirect(request, f"{_here(fields, call_id)}#commands", f"已请求：{zh(kind)}")


def _number(fields: Fields) -> str:
    """Whose telephone shall ring. It is nowhere but in the command, sealed, until it is carried out."""
    number = normalise_phone(fields.text("number", "您的电话号码", limit=30))
    if "number" not in fields.errors and not SHORTEST_NUMBER <= len(number) <= LONGEST_NUMBER:
        raise BadInput("请填写能打通的电话号码，只用数字")
    return number
