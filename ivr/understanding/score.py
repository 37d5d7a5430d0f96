"""Scoring against labelled utterances, and the JSON line that `xunfang understand` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Question, Understanding
from ivr.understanding.service import understand
from xunfang.vocabulary import Alert

Judge = Callable[[str, Question], Understanding]

SLOTS = ("event", "polarity", "time", "subject")


def understand_line(
    row: Mapping[str, Any], *, lexicon: Lexicon | None = None, judge: Judge | None = None
) -> dict[str, Any]:
    """One JSON line in ({"id", "question", "text"}), one out. Slots are null without an event.

    A missing or unknown question is taken as `any`, a missing text as silence: one bad line
    of a long file must not stop the others.
    """
    name = str(row.get("question") or Question.ANY)
    question = Question(name) if name in frozenset(Question) else Question.ANY
    text = str(row.get("text") or "")
    meant = judge(text, question) if judge else understand(text, question, lexicon=lexicon)
    main = meant.main
    return {
        "id": row.get("id"),
        "question": row.get("question"),
        "text": row.get("text"),
        "alert": str(meant.alert),
        "answer": meant.answer,
        "event": None if main is None else str(main.event),
        "polarity": None if main is None else str(main.polarity),
        "time": None if main is None else str(main.time),
        "subject": None if main is None else str(main.subject),
        "evidence": list(meant.evidence),
    }


@dataclass
class Ratio:
    """So many right of so many."""

    right: int = 0
    of: int = 0

    @property
    def value(self) -> float:
        return self.right / self.of if self.of else 1.0

    def add(self, right: bool) -> None:
        self.of += 1
        self.right += right


@dataclass
class Report:
    """What `xunfang understand --score` prints."""

    rows: int = 0
    urgent_recall: Ratio = field(default_factory=Ratio)
    urgent_precision: Ratio = field(default_factory=Ratio)
    alert: Ratio = field(default_factory=Ratio)
    answer: Ratio = field(default_factory=Ratio)
    slots: dict[str, Ratio] = field(default_factory=lambda: {s: Ratio() for s in SLOTS})
    all_slots: Ratio = field(default_factory=Ratio)
    by_question: dict[str, Ratio] = field(default_factory=dict)
    by_class: dict[str, Ratio] = field(default_factory=dict)
    confusion: Counter[str] = field(default_factory=Counter)
    misses: list[dict[str, Any]] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        return {
            "rows": self.rows,
            "urgent_recall": round(self.urgent_recall.value, 4),
            "urgent_precision": round(self.urgent_precision.value, 4),
            "alert_accuracy": round(self.alert.value, 4),
            "answer_accuracy": round(self.answer.value, 4),
            **{f"{s}_accuracy": round(r.value, 4) for s, r in self.slots.items()},
            "event_slots_accuracy": round(self.all_slots.value, 4),
        }


def score(
    rows: Iterable[Mapping[str, Any]], *, lexicon: Lexicon | None = None, judge: Judge | None = None
) -> Report:
    """Compare with labels. `judge` (for measuring a part alone) takes the place of `understand`.

    The slot accuracies count rows where either side has an event; `all_slots` counts every
    slot of those rows.
    """
    report = Report()
    for row in rows:
        got = understand_line(row, lexicon=lexicon, judge=judge)
        report.rows += 1
        wanted_urgent, got_urgent = row["alert"] == Alert.URGENT, got["alert"] == Alert.URGENT
        if wanted_urgent:
            report.urgent_recall.add(got_urgent)
        if got_urgent:
            report.urgent_precision.add(wanted_urgent)
        report.alert.add(row["alert"] == got["alert"])
        report.answer.add(row["answer"] == got["answer"])
        report.by_question.setdefault(str(row["question"]), Ratio()).add(row["answer"] == got["answer"])
        report.by_class.setdefault(f"{row['question']}.{row['answer']}", Ratio()).add(
            row["answer"] == got["answer"]
        )
        wrong = [f for f in ("alert", "answer") if row[f] != got[f]]
        if row.get("event") is not None or got["event"] is not None:
            for slot in SLOTS:
                right = row.get(slot) == got[slot]
                report.slots[slot].add(right)
                report.all_slots.add(right)
                if not right:
                    wrong.append(slot)
        for name in wrong:
            report.confusion[f"{name}: {row.get(name)} -> {got[name]}"] += 1
        if wrong:
            report.misses.append(
                {
                    "id": row.get("id"),
                    "question": row["question"],
                    "text": row["text"],
                    "wrong": {name: {"wanted": row.get(name), "got": got[name]} for name in wrong},
                }
            )
    return report
