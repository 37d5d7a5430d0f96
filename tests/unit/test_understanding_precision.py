"""Which entry raised an alert, and how often supervisors said that it was one."""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass, replace

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.hearing import judged
from ivr.dialogue.model import Keys, Speech, State
from ivr.dialogue.turn import Turn
from ivr.session.transcript import judgement
from ivr.understanding import default_lexicon, understand
from ivr.understanding.model import Understanding
from ivr.understanding.precision import MIN_VERDICTS, precisions, raised_by, wilson
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

PLAN = dialplan.load("monthly_full")


def meant(text: str, at: str = "event", confidence: float | None = None) -> Understanding:
    understood = judged(Turn(PLAN, State(at=at), Speech(text, confidence), understand)).understood
    assert understood is not None
    return understood


@dataclass(frozen=True)
class Counts:
    entry: str
    raised: int
    confirmed: int = 0
    false_alarms: int = 0
    missed: int = 0

    @property
    def unreviewed(self) -> int:
        return self.raised - self.confirmed - self.false_alarms


@pytest.mark.parametrize("text", ["我摔倒了起不来了", "救命", "胸口疼", "上周摔了一跤", "我不想活了"])
def test_an_alert_names_entries_that_are_in_the_lexicon(text: str) -> None:
    named = raised_by(meant(text))
    assert named
    assert set(named) <= {*default_lexicon().by_id, "opinion"}


def test_what_is_denied_or_harmless_raised_nothing() -> None:
    assert raised_by(meant("没摔")) == ()
    both = meant("没摔着，就是胸口疼得厉害")
    events = {each.entry: each.event for each in both.judgements}
    named = [entry for entry in raised_by(both) if entry in events]
    assert [str(events[entry]) for entry in named] == ["chest_pain"]


def test_where_no_entry_raised_it_the_rule_is_named_and_never_what_was_said() -> None:
    assert raised_by(meant("不太好", "health")) == ("answer: worse",)
    key = next(key for key, answer in PLAN.question("event").keys.items() if answer == "urgent")  # type: ignore[union-attr]
    pressed = judged(Turn(PLAN, State(at="event"), Keys(key), understand)).understood
    assert pressed is not None
    assert raised_by(pressed) == ("keypad",)
    mended = meant("了好多血", confidence=0.5)
    assert any(reason.startswith("heard as") for reason in mended.reasons)
    assert mended.alert is not Alert.NONE
    assert raised_by(mended)
    assert not any("heard" in entry for entry in raised_by(mended))


def test_of_an_urgent_alert_only_what_is_urgent_is_to_blame() -> None:
    understood = meant("我摔倒了起不来了")
    alarming = {reason.partition(":")[0] for reason in understood.reasons if "-> none" not in reason}
    assert understood.alert is Alert.URGENT
    assert {"fall.plain", "up.cannot"} <= alarming
    assert raised_by(understood) == ("up.cannot",)


def test_the_second_opinion_is_to_blame_for_what_it_raised_and_not_for_what_it_lowered() -> None:
    ruled = meant("我摔倒了起不来了")
    lowered = replace(ruled, alert=Alert.REVIEW, reasons=(*ruled.reasons, "opinion: review 0.97"))
    assert raised_by(lowered) == ("fall.plain", "up.cannot")
    raised = replace(ruled, reasons=("fall.plain: affirmed recent self -> review", "opinion: urgent 0.80"))
    assert raised_by(raised) == ("opinion",)


@pytest.mark.parametrize(
    ("alert", "reasons"),
    [
        (
            Alert.URGENT,
            ("fall.plain: affirmed recent self -> review", "up.cannot: affirmed now self -> urgent"),
        ),
        (Alert.URGENT, ("plea.help: plea", "plea.come: plea")),
        (
            Alert.URGENT,
            ("fall.denied: negated recent self -> none", "chest.strong: affirmed now self -> urgent"),
        ),
        (Alert.REVIEW, ("answer: worse", "hardly heard: good")),
        (Alert.REVIEW, ("control: opt_out",)),
        (Alert.URGENT, ("fall.plain: affirmed recent self -> review", "opinion: urgent 0.80")),
    ],
)
def test_turns_of_earlier_versions_are_counted_as_the_migration_counts_them(
    alert: Alert, reasons: tuple[str, ...]
) -> None:
    migration = importlib.import_module("storage.migrations.versions.0004_verdicts")
    stored = replace(meant("没摔"), alert=alert, reasons=reasons)
    assert migration._entries({"alert": str(alert), "reasons": list(reasons)}) == list(raised_by(stored))


def test_the_stored_turn_names_what_raised_it() -> None:
    for text in ("我摔倒了起不来了", "救命啊快来人", "没摔着，就是胸口疼得厉害", "不太好", "没摔"):
        understood = meant(text, confidence=0.9)
        assert judgement(understood)["entries"] == list(raised_by(understood))


def test_the_interval_of_wilson_is_as_in_the_tables() -> None:
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0
    assert wilson(800, 1000)[1] - wilson(800, 1000)[0] < high - low


def test_the_worst_comes_first_and_few_verdicts_are_marked() -> None:
    counts = [
        Counts("good", 60, 50, 1),
        Counts("one bad verdict", 3, 0, 1),
        Counts("bad", 60, 5, 45),
        Counts("unreviewed", 90),
        Counts("middling", 60, 20, 20),
    ]
    lines = precisions(counts, default_lexicon())
    assert [each.entry for each in lines] == ["bad", "middling", "good", "one bad verdict", "unreviewed"]
    assert [each.too_few for each in lines] == [False, False, False, True, True]
    assert (lines[0].precision, lines[0].unreviewed) == (0.1, 10)
    assert (lines[4].precision, lines[4].low, lines[4].high) == (None, None, None)
    edge = Counts("edge", MIN_VERDICTS, MIN_VERDICTS - 1, 1)
    assert not precisions([edge], default_lexicon())[0].too_few


def test_an_entry_comes_with_what_whoever_tunes_needs() -> None:
    entry = next(each for each in default_lexicon().entries if each.kind == "event")
    (line,) = precisions([Counts(entry.id, 4, 1, 3)], default_lexicon())
    assert (line.say, line.reason, line.source, line.file) == (
        entry.say,
        entry.reason,
        entry.source,
        entry.file,
    )
    (gone,) = precisions([Counts("was.removed", 4, 1, 3)], default_lexicon())
    assert asdict(gone)["reason"] == ""
