"""`xunfang cases assign|accept|refuse|start|visited|refer|close`: the steps of a case, as it happens
at the door. What is printed is for supervisors and visitors: Chinese."""

from __future__ import annotations

import getpass
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from visits import handling, service, telling, watch
from visits.life import Actor, Order, Role, parse_actor
from xunfang.cli.output import AsJson, console, print_json, settings_of
from xunfang.clock import SystemClock
from xunfang.errors import BadInput
from xunfang.vocabulary import CaseStatus, CaseStep, ReferTo, ReportCategory, zh
from xunfang.wiring import deadlines, open_store

CaseId = Annotated[int, typer.Argument(metavar="ID", help="Number of the case (编号).")]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="WHO",
        help="Who does it: visitor:NUMBER (巡访员), or a name at the desk (督导); default: your login.",
    ),
]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What was done, or why, in Chinese.")]

Word = TypeVar("Word", bound=StrEnum)


def register_steps(app: typer.Typer) -> None:
    for command in (assign, accept, refuse, start, visited, refer, close):
        app.command()(command)


def assign(
    ctx: typer.Context,
    case_id: CaseId,
    visitor: Annotated[int, typer.Argument(metavar="VISITOR", help="Number of the visitor.")],
    note: Note = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Send a visitor, or another one instead (分派、改派).

    Example: xunfang cases assign 3 12 --note 离得最近 --by zhang
    """
    _take(ctx, case_id, Order(CaseStep.ASSIGN, actor_of(by), note, visitor_id=visitor), as_json)


def accept(
    ctx: typer.Context, case_id: CaseId, note: Note = "", by: By = "", as_json: AsJson = False
) -> None:
    """The visitor will go (接受); one who was not assigned takes an open case (认领).

    Example: xunfang cases accept 3 --by visitor:12
    """
    _take(ctx, case_id, Order(CaseStep.ACCEPT, actor_of(by), note), as_json)


def refuse(
    ctx: typer.Context, case_id: CaseId, note: Note = "", by: By = "", as_json: AsJson = False
) -> None:
    """The visitor cannot go (推辞): the next one is sent at once. The reason is mandatory.

    Example: xunfang cases refuse 3 --note 人在外地 --by visitor:12
    """
    _take(ctx, case_id, Order(CaseStep.REFUSE, actor_of(by), note), as_json)


def start(ctx: typer.Context, case_id: CaseId, note: Note = "", by: By = "", as_json: AsJson = False) -> None:
    """The visitor is on the way (出发).

    Example: xunfang cases start 3 --by visitor:12
    """
    _take(ctx, case_id, Order(CaseStep.START, actor_of(by), note), as_json)


def visited(
    ctx: typer.Context, case_id: CaseId, note: Note = "", by: By = "", as_json: AsJson = False
) -> None:
    """The visitor was at the door (已上门). The case stays open until it is closed.

    Example: xunfang cases visited 3 --by visitor:12
    """
    _take(ctx, case_id, Order(CaseStep.VISITED, actor_of(by), note), as_json)


def close(ctx: typer.Context, case_id: CaseId, note: Note = "", by: By = "", as_json: AsJson = False) -> None:
    """Close the case (办结). 处置情况 is mandatory: what was done, and how the elder is.

    Example: xunfang cases close 3 --note 已上门，老人安好，手机没电 --by visitor:12
    """
    _take(ctx, case_id, Order(CaseStep.CLOSE, actor_of(by), note), as_json)


def refer(
    ctx: typer.Context,
    case_id: CaseId,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="WHOM", help="110, 120, 12345, village 村委, township 乡镇, civil_affairs 民政."
        ),
    ],
    category: Annotated[
        str,
        typer.Option(
            "--category",
            metavar="WHAT",
            help="What is reported: roaming 外出流浪乞讨, harmed 遭受非法侵害, "
            "critical_illness 发生危重病情, mental_illness 患有严重精神疾病, "
            "hardship 面临重大困境, other 其他情况 (needs --note).",
        ),
    ],
    note: Note = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Hand the case on (转介). You have called or reported yourself: the system dials nobody.

    Example: xunfang cases refer 3 --to 120 --category 发生危重病情 --note 已拨打120 --by zhang
    """
    order = Order(
        CaseStep.REFER,
        actor_of(by),
        note,
        to=word_of(ReferTo, to, "--to"),
        category=word_of(ReportCategory, category, "--category"),
    )
    _take(ctx, case_id, order, as_json)


def _take(ctx: typer.Context, case_id: int, order: Order, as_json: bool) -> None:
    """The case is read first and changed only when it is still so: of two people one is told."""
    settings = settings_of(ctx)
    rules, now = deadlines(settings), SystemClock().now()
    with open_store(settings) as store:
        with store.read() as work:
            seen = handling.get(work, case_id)
        with store.begin() as work:
            case = handling.handle(work, case_id, order, now, rules, seen=seen)
        shown = service.show(store, case_id, now, settings.timezone)
    if as_json:
        print_json(shown)
        return
    console.print(f"案件{case_id}：{zh(order.step)}已登记，现为“{zh(case.status)}”。")
    if case.closed_at is None:
        until = telling.at(watch.due(case, rules), settings.timezone)
        console.print(
            f"巡访员：{shown['visitor'] or '待指派'}。{_waits(case.status)}，期限{until}，逾期将催办。"
        )


def _waits(status: CaseStatus) -> str:
    return {
        CaseStatus.OPEN: "等待分派",
        CaseStatus.ASSIGNED: "等待巡访员接受",
        CaseStatus.ACCEPTED: "等待上门",
        CaseStatus.ON_THE_WAY: "等待到达",
        CaseStatus.VISITED: "等待填写处置情况并办结",
    }.get(status, "等待跟进并办结")


def actor_of(by: str) -> Actor:
    if by:
        return parse_actor(by)
    try:
        return Actor(Role.SUPERVISOR, getpass.getuser())
    except (KeyError, OSError):
        raise BadInput("不知道是谁在操作：请用 --by 写明（visitor:编号，或督导的名字）") from None


_ALIASES = {
    "村委": ReferTo.VILLAGE,
    "村委会": ReferTo.VILLAGE,
    "居委会": ReferTo.VILLAGE,
    "乡镇": ReferTo.TOWNSHIP,
    "民政": ReferTo.CIVIL_AFFAIRS,
    "民政局": ReferTo.CIVIL_AFFAIRS,
}


def word_of(words: type[Word], text: str, option: str) -> Word:
    """The word itself, its Chinese term, or a usual short form of it."""
    alias = _ALIASES.get(text)
    for word in words:
        if text in (word.value, zh(word)) or alias is word:
            return word
    allowed = "、".join(
        word.value if word.value == zh(word) else f"{word.value}（{zh(word)}）" for word in words
    )
    raise BadInput(f"{option}：不认识“{text}”；可以写：{allowed}")
