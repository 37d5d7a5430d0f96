"""`xunfang retention` and `xunfang rights`: what is erased after its time, and the rights of an elder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from records import retention, rights
from storage.personal import TABLES
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.wiring import form_template, kept_files, open_store, retention_periods

ACTOR = "user:cli"  # whoever may run this command on the machine
TITLES = {each.table.name: each.title for each in TABLES}
ENDED = {
    "plans": "巡访计划停止",
    "contact_calls": "不再询问联系人",
    "reviews": "待复核撤下",
    "commands": "操作取消",
    "cases": "案件办结",
    "plates": "门牌作废",
    "sessions": "家属登录退出",
    "consents": "同意撤回",
}
Elder = Annotated[int, typer.Argument(metavar="ELDER", help="The elder's number in the ledger.")]
Why = Annotated[str, typer.Option(help="The reason, without names; it is kept.")]

retention_app = typer.Typer(no_args_is_help=True, help="Erase what is over its period (保存期限).")
app = typer.Typer(no_args_is_help=True, help="The rights of an elder: copy, erasure, access log (个人信息).")


@retention_app.callback()
def _retention() -> None:
    pass


@retention_app.command("run")
def run(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase now what is over its period ([retention] in the settings); `xunfang run` does it once a day.

    Example: xunfang retention run --dry-run
    """
    settings, now = settings_of(ctx), SystemClock().now()
    periods = retention_periods(settings)
    with open_store(settings) as store, store.leading(retention.SUBJECT) as first:
        if not first:
            raise Conflict("另一个进程正在按保存期限删除，请稍后再试")
        done = retention.run(store, periods, kept_files(settings), now, dry_run=dry_run, actor=ACTOR)
    if as_json:
        print_json(done)
        return
    days = {each.name: getattr(periods, each.period) for each in retention.KINDS}
    print_table(
        "超过保存期限，将删除（试运行）" if dry_run else "已按保存期限删除",
        ("内容", "保存（天）", "条数", "文件"),
        (
            (title, days[name] or "长期", done.rows.get(name, 0), done.files.get(name, ""))
            for name, title in retention.TITLES.items()
        ),
        empty="",
    )
    if done.failed:
        console.print(f"{done.failed} 个文件没有删掉（原因见日志），下次再试")


@app.command()
def export(
    ctx: typer.Context,
    elder: Elder,
    out: Annotated[Path, typer.Option(help="The zip to write.")],
    as_json: AsJson = False,
) -> None:
    """All that is held on one elder as a zip: data, official form, recordings, photos, and what they are.

    Example: xunfang rights export 12 --out 12.zip
    """
    if out.suffix.lower() != ".zip":
        raise BadInput("输出文件存成 .zip")
    settings, now = settings_of(ctx), SystemClock().now()
    with open_store(settings) as store:
        done = rights.export(
            store, elder, out, kept_files(settings), now, settings.zone, ACTOR, form_template(settings)
        )
    if as_json:
        print_json({"file": out, "exported": done})
        return
    rows = sum(done.rows.values())
    console.print(
        f"已写入 {out}：{rows} 条数据、{done.recordings} 个录音、{done.photos} 张照片", markup=False
    )
    if done.missing:
        console.print(f"{done.missing} 个文件登记过、但已不在，名单见压缩包里的说明.txt")


@app.command()
def erase(
    ctx: typer.Context,
    elder: Elder,
    why: Why,
    yes: Annotated[bool, typer.Option("--yes", help="Really do it; it cannot be undone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase an elder's personal data; numbers for statistics stay. Without --yes: only what would be erased.

    Example: xunfang rights erase 12 --why 本人书面申请 --yes
    """
    settings, now = settings_of(ctx), SystemClock().now()
    with open_store(settings) as store:
        done = rights.erase(store, elder, why, ACTOR, kept_files(settings), now, dry_run=not yes)
    if as_json:
        print_json(done)
        return
    title = f"老人{elder}：{'将删除或清空' if done.dry_run else '已删除或清空'}"
    rows = [(TITLES[name], count) for name, count in done.rows.items()]
    rows += [("录音文件", done.recordings), ("照片与签名文件", done.photos)]
    rows += [(ENDED[name], count) for name, count in done.ended.items() if count]
    print_table(title, ("内容", "条数"), rows, empty="")
    if done.dry_run:
        console.print("这是试运行，什么也没有删。加 --yes 才执行，执行后不可恢复。")


@app.command()
def log(ctx: typer.Context, elder: Elder, as_json: AsJson = False) -> None:
    """Who listened to, looked at or took away what is held on an elder (查阅记录), newest first.

    Example: xunfang rights log 12
    """
    settings = settings_of(ctx)
    with open_store(settings) as store, store.read() as work:
        if work.elders.get(elder) is None:
            raise NotFound(f"没有编号为{elder}的老人")
        entries = work.rights.accessed(elder, rights.ACCESS_ZH)
    if as_json:
        print_json(entries)
        return
    print_table(
        f"老人{elder}的查阅记录",
        ("时间", "谁", "对象", "做了什么"),
        (
            (
                f"{each.at.astimezone(settings.zone):%Y-%m-%d %H:%M}",
                each.actor,
                each.subject,
                rights.ACCESS_ZH[each.kind],
            )
            for each in entries
        ),
        empty="没有人听过录音，也没有人查看或带走过这位老人的资料。",
    )


@app.command()
def hold(
    ctx: typer.Context,
    elder: Elder,
    why: Why,
    case: Annotated[int | None, typer.Option(help="Only what lies in the time of this case.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep what is held on an elder beyond its period (暂停删除), because of a dispute or an inquiry.

    Example: xunfang rights hold 12 --why 信访核查 --case 7
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        placed = rights.hold(work, elder, why, ACTOR, SystemClock().now(), case)
    if as_json:
        print_json(placed)
    else:
        console.print(f"暂停删除 {placed.id} 已生效：解除前，不按保存期限删除，也不能应要求删除")


@app.command()
def release(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(metavar="HOLD", help="Its number, from `xunfang rights holds`.")],
    as_json: AsJson = False,
) -> None:
    """End a hold; what is over its period goes with the next run.

    Example: xunfang rights release 3
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        rights.release(work, number, ACTOR, SystemClock().now())
    if as_json:
        print_json({"released": number})
    else:
        console.print(f"暂停删除 {number} 已解除")


@app.command()
def holds(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The holds that are in force (暂停删除).

    Example: xunfang rights holds --json
    """
    settings = settings_of(ctx)
    with open_store(settings) as store, store.read() as work:
        found = work.rights.holds()
    if as_json:
        print_json(found)
        return
    print_table(
        "暂停删除",
        ("编号", "老人编号", "案件", "自", "谁", "原因"),
        (
            (
                each.id,
                each.elder_id,
                each.case_id,
                f"{each.placed_at.astimezone(settings.zone):%Y-%m-%d}",
                each.by,
                each.why,
            )
            for each in found
        ),
        empty="没有暂停删除。",
    )
