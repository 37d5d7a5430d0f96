"""`xunfang cases contacted`: a contact (紧急联系人) has told how the elder is."""

from __future__ import annotations

from typing import Annotated

import typer

from visits import contacts, handling, service
from xunfang.cli.case_steps import By, CaseId, actor_of
from xunfang.cli.output import AsJson, console, print_json, settings_of
from xunfang.clock import SystemClock
from xunfang.errors import BadInput
from xunfang.wiring import open_store


def contacted(
    ctx: typer.Context,
    case_id: CaseId,
    place: Annotated[int, typer.Argument(metavar="PLACE", help="Which contact: 1 is the ledger's first.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """A contact has told how the elder is (联系人已回应): the next ones are not told any more.

    The case stays open: it is closed with 处置情况 as every other.

    Example: xunfang cases contacted 3 1 --by zhang
    """
    settings, now = settings_of(ctx), SystemClock().now()
    with open_store(settings) as store:
        with store.begin() as work:
            elder = handling.elder_of(work, handling.get(work, case_id))
            known = {each.position: each.id for each in work.contacts.of(elder.id)}
            if place not in known:
                listed = "、".join(map(str, known)) or "无"
                raise BadInput(f"案件{case_id}的老人没有第{place}位紧急联系人；台账中有：{listed}")
            contacts.answered(work, case_id, known[place], str(actor_of(by)), now)
        shown = service.show(store, case_id, now, settings.timezone)
    if as_json:
        print_json(shown)
        return
    console.print(
        f"案件{case_id}：已登记第{place}位紧急联系人的回应，不再通知其他联系人。办结仍须填写处置情况。"
    )


def register_contacts(app: typer.Typer) -> None:
    app.command()(contacted)
