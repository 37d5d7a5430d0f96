"""`xunfang plan` and `xunfang campaign`: who is due and how, and surges (专项巡访)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

import typer

from ivr.dialogue import dialplan as plans
from scheduler.due import terms
from scheduler.planning import campaigns, plan_due
from scheduler.planning.festivals import campaigns_of
from storage import Store, Work
from storage.model import Campaign
from xunfang.cli.output import AsJson, console, plain, print_json, print_table, settings_of
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import Cadence, CampaignKind, Category, PlanStatus, zh
from xunfang.wiring import dialplan_path, open_store, policy

ACTOR = "user:cli"
LISTED = 1000
WAYS = {"phone": "电话", "on_site": "上门", "ask": "待征求同意", "none": "不接受巡访", "paused": "暂停"}

app = typer.Typer(no_args_is_help=True, help="Surges 专项巡访: heat, cold, flood, epidemic, festivals.")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is stored.")]


def register(root: typer.Typer) -> None:
    root.command()(plan)
    root.add_typer(app, name="campaign")


def plan(ctx: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Plan the current period of every elder, and say who is where. Planning twice changes nothing.

    Example: xunfang plan --dry-run
    """
    settings = settings_of(ctx)
    rules = policy(settings)
    clock = SystemClock()
    with open_store(settings) as store:
        report = plan_due(store, clock, rules, dry_run=dry_run)
        with store.read() as work:
            census = work.planning.census(terms(clock.now(), rules))
    if as_json:
        where = [{"way": way, "cadence": cadence, "elders": elders} for way, cadence, elders in census]
        print_json({**plain(report), "dry_run": dry_run, "elders": where})
        return
    console.print(
        f"{'将新增' if dry_run else '新增'}计划 {report.created}：电话 {report.phone}，"
        f"上门 {report.on_site}，专项 {report.campaign}，暂停 {report.paused}，恢复 {report.resumed}，"
        f"需征求同意 {report.consent_cases}，不接受巡访 {report.refused}，暂停到期 {report.pauses_ended}"
    )
    counted = {(way, cadence): elders for way, cadence, elders in census}
    print_table(
        "在册老人",
        ("方式", *(zh(cadence) for cadence in Cadence), "合计"),
        (
            (name, *counts, sum(counts))
            for way, name in WAYS.items()
            if any(counts := [counted.get((way, cadence), 0) for cadence in Cadence])
        ),
        empty="台账里还没有在册老人；先用 xunfang ledger import 导入",
    )


# ---- surges ------------------------------------------------------------------------------------


@app.command("add")
def add(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Short name, for example heat-2026-07.")],
    kind: Annotated[CampaignKind, typer.Option(help="Decides the dialplan and which surge goes first.")],
    starts: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    ends: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; mandatory.")],
    name: Annotated[str, typer.Option(help="What people read.")] = "",
    every: Annotated[int | None, typer.Option(min=1, help="Every N days; left out: once.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="Area code, with all below it; repeatable.")] = None,
    category: Annotated[list[Category] | None, typer.Option(help="Only these; repeatable.")] = None,
    dialplan: Annotated[str, typer.Option(help="Empty: that of its kind.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Call more often for a while: everybody, or some areas and categories.

    Example: xunfang campaign add heat-7 --kind heat --from 2026-07-20 --to 2026-07-26 --every 1
    """
    settings = settings_of(ctx)
    rules, now = policy(settings), SystemClock().now()
    wanted = Campaign(
        id=0,
        code=code,
        name=name or f"{zh(kind)}专项巡访",
        kind=kind,
        areas=(),
        categories=frozenset(category or ()),
        dialplan=dialplan or campaigns.DIALPLANS[kind],
        starts=starts.date(),
        ends=ends.date(),
        every_days=every,
        created_by=ACTOR,
        created_at=now,
    )
    campaigns.check(wanted)
    plans.load(dialplan_path(settings, wanted.dialplan))
    with open_store(settings) as store:
        with store.read() as work:
            wanted = replace(wanted, areas=_area_ids(work, area or []))
        counted = campaigns.would_call(store, wanted, now, rules)
        if not dry_run:
            with store.begin() as work:
                wanted = campaigns.add(work, wanted, now)
    _print_added([(wanted, counted)], dry_run, as_json)


@app.command("festivals")
def festivals(
    ctx: typer.Context,
    year: Annotated[int, typer.Argument(min=2000, max=2099)],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add the festivals of a year (春节、中秋节、重阳节) as surges; none that is past or there already.

    Example: xunfang campaign festivals 2027
    """
    settings = settings_of(ctx)
    rules, now = policy(settings), SystemClock().now()
    added: list[tuple[Campaign, Counter[str]]] = []
    with open_store(settings) as store:
        for each in campaigns_of(year, ACTOR, now):
            if each.ends < terms(now, rules).today or _exists(store, each.code):
                continue
            counted = campaigns.would_call(store, each, now, rules)
            if not dry_run:
                with store.begin() as work:
                    each = campaigns.add(work, each, now)
            added.append((each, counted))
    _print_added(added, dry_run, as_json)


@app.command("list")
def list_campaigns(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All surges, also past ones.

    Example: xunfang campaign list
    """
    settings = settings_of(ctx)
    today = terms(SystemClock().now(), policy(settings)).today
    with open_store(settings) as store, store.read() as work:
        found = work.campaigns.page(limit=LISTED)
    if as_json:
        print_json(found)
        return
    print_table(
        "专项巡访",
        ("编码", "名称", "类别", "开始", "结束", "频次", "对话流程", "状态"),
        ((*_row(each), _state(each, today)) for each in found),
        empty="还没有专项巡访",
    )


@app.command("show")
def show(ctx: typer.Context, code: str, as_json: AsJson = False) -> None:
    """One surge: its rounds and how far they are.

    Example: xunfang campaign show heat-2026-07
    """
    settings = settings_of(ctx)
    today = terms(SystemClock().now(), policy(settings)).today
    with open_store(settings) as store, store.read() as work:
        view = campaigns.view(work, code, today)
    if as_json:
        print_json(view)
        return
    console.print("  ".join((*_row(view.campaign), _state(view.campaign, today))), markup=False)
    print_table(
        "各轮进度",
        ("日期", *(zh(status) for status in PlanStatus)),
        (
            (period.rpartition(":")[2], *(counts.get(status.value, 0) for status in PlanStatus))
            for period, counts in view.rounds.items()
        ),
        empty="还没有生成计划",
    )


@app.command("end")
def end(ctx: typer.Context, code: str, as_json: AsJson = False) -> None:
    """End a surge now. Calls not yet tried are taken back; whoever did not answer is still looked for.

    Example: xunfang campaign end heat-2026-07
    """
    settings = settings_of(ctx)
    with open_store(settings) as store:
        withdrawn = campaigns.end(store, code, ACTOR, SystemClock().now())
    if as_json:
        print_json({"code": code, "withdrawn": withdrawn})
    else:
        console.print(f"{code} 已结束，撤回未拨打计划 {withdrawn} 条。", markup=False)


def _area_ids(work: Work, codes: list[str]) -> tuple[int, ...]:
    ids = []
    for code in codes:
        found = work.areas.by_code(code)
        if found is None:
            raise NotFound(f"no area with the code {code}; the ledger template shows how codes are written")
        ids.append(found.id)
    return tuple(ids)


def _exists(store: Store, code: str) -> bool:
    with store.read() as work:
        return work.campaigns.get(code) is not None


def _print_added(added: list[tuple[Campaign, Counter[str]]], dry_run: bool, as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [
            {"campaign": campaign, "first_round": {way: counted[way] for way in ("phone", "on_site")}}
            for campaign, counted in added
        ]
        print_json({"dry_run": dry_run, "campaigns": rows})
        return
    if not added:
        raise BadInput("nothing to add: these festivals are past or added already")
    for campaign, counted in added:
        console.print(
            f"{'试算' if dry_run else '已添加'} {campaign.code}（{campaign.name}，{campaign.starts} 至 "
            f"{campaign.ends}）：首轮电话 {counted['phone']}，上门 {counted['on_site']}",
            markup=False,
        )


def _row(campaign: Campaign) -> tuple[str, ...]:
    often = "一次" if campaign.every_days is None else f"每{campaign.every_days}天"
    return (
        campaign.code,
        campaign.name,
        zh(campaign.kind),
        campaign.starts.isoformat(),
        campaign.ends.isoformat(),
        often,
        campaign.dialplan,
    )


def _state(campaign: Campaign, today: date) -> str:
    if campaign.ended_at is not None:
        return "已提前结束"
    if today > campaign.ends:
        return "已结束"
    return "进行中" if today >= campaign.starts else "未开始"
