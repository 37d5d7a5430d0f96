"""`xunfang cases transcript|verdict|correct`: what was said in a call, and what a supervisor (督导) says
of it after listening. What is printed is for supervisors: Chinese."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from visits import review
from xunfang.cli.case_steps import By, actor_of, word_of
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.clock import SystemClock
from xunfang.vocabulary import ReviewVerdict, zh
from xunfang.wiring import deadlines, open_store

CallId = Annotated[int, typer.Argument(metavar="CALL", help="Number of the call (通话编号).")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, in Chinese.")]


def register_review(app: typer.Typer) -> None:
    for command in (transcript, verdict, correct):
        app.command()(command)


def transcript(ctx: typer.Context, call_id: CallId, as_json: AsJson = False) -> None:
    """Show the turns of a call with their numbers, alerts and verdicts, and the answers.

    Example: xunfang cases transcript 7
    """
    with open_store(settings_of(ctx)) as store, store.read() as work:
        told = review.transcript(work, call_id)
    if as_json:
        print_json(told)
        return
    print_table(
        f"通话{call_id}",
        ("句", "谁", "秒", "报警", "复核", "说了什么"),
        (
            (
                turn["turn"],
                turn["speaker_zh"],
                "" if turn["start_s"] is None else f"{turn['start_s']:.1f}",
                turn["alert_zh"],
                turn["verdict_zh"],
                escape(turn["text"] + (f"（{turn['reason']}）" if turn["reason"] else "")),
            )
            for turn in told["turns"]
        ),
        empty=f"通话{call_id}里没有说话。",
    )
    corrected = [each for each in told["answers"] if each["corrected"]]
    for each in corrected:
        line = f"更正：{each['question']} {each['answer'] or '无'} → {each['corrected']}（{each['why']}）"
        console.print(line, markup=False, highlight=False)


def verdict(
    ctx: typer.Context,
    call_id: CallId,
    turn: Annotated[int, typer.Argument(metavar="TURN", help="Number of the turn (句); see transcript.")],
    what: Annotated[
        str,
        typer.Argument(
            metavar="VERDICT",
            help="confirmed 属实 (opens a case), false_alarm 误报 (needs --why), "
            "missed 漏报 (no alert was raised; opens a case).",
        ),
    ],
    why: Why = "",
    urgent: Annotated[
        bool, typer.Option("--urgent", help="You hear danger to life now: the case becomes 紧急求助.")
    ] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Say after listening whether an alert was one (复核). The last word on a turn counts.

    False alarms come back in `xunfang lexicon precision`. They close no case: `xunfang cases close`.

    Example: xunfang cases verdict 7 3 false_alarm --why 电视里的声音 --by zhang
    """
    settings = settings_of(ctx)
    word = word_of(ReviewVerdict, what, "VERDICT")
    with open_store(settings) as store, store.begin() as work:
        given = review.give_verdict(
            work,
            call_id,
            turn,
            word,
            why,
            actor_of(by),
            SystemClock().now(),
            deadlines(settings),
            urgent=urgent,
        )
    if as_json:
        print_json({"verdict": given.verdict, "case_id": _case_id(given), "opened": given.opened})
        return
    again = "此前已这样登记" if given.again else "已登记"
    console.print(f"通话{call_id}第{turn}句：{zh(word)}，{again}。{_case(given)}", highlight=False)


def _case_id(given: review.Reviewed) -> int | None:
    return None if given.case is None else given.case.id


def _case(given: review.Reviewed) -> str:
    if given.case is None:
        return ""
    if given.opened:
        return f"已记入案件{given.case.id}（{zh(given.case.priority)}）。"
    if given.case.closed_at is not None:
        return f"案件{given.case.id}此前已办结。"
    if given.verdict.verdict is ReviewVerdict.FALSE_ALARM:
        return f"案件{given.case.id}仍未办结：xunfang cases close {given.case.id} --note 处置情况"
    return f"案件{given.case.id}已在办理。"


def correct(
    ctx: typer.Context,
    call_id: CallId,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="Its id in the dialplan: health, gas…")],
    answer: Annotated[
        str, typer.Argument(metavar="ANSWER", help="What was really answered: good, worse, unsafe…")
    ],
    details: Annotated[
        list[str] | None,
        typer.Option("--detail", metavar="WORD", help="Which need or illness; may be given again."),
    ] = None,
    why: Why = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Keep an answer as you heard it, beside the machine's and never over it. --why is mandatory.

    Example: xunfang cases correct 7 health worse --why 录音里说的是不太好 --by zhang
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        kept = review.correct_answer(
            work, call_id, question, answer, details or [], why, actor_of(by), SystemClock().now()
        )
    if as_json:
        print_json(kept)
        return
    console.print(f"通话{call_id}：{question}的回答更正为{kept.answer}，系统原来的判断仍保留。")
