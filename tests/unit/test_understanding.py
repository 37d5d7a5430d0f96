"""What was meant: the sentences that a naive reading gets wrong, one by one and as a corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ivr.understanding import (
    ANSWERS,
    CONTROLS,
    Event,
    Polarity,
    Question,
    Subject,
    Time,
    default_lexicon,
    score,
    understand,
    understand_line,
)
from ivr.understanding.service import by_rules
from xunfang.vocabulary import Alert, CallDisposition

pytestmark = pytest.mark.unit
TRAIN = Path(__file__).parent.parent / "corpus" / "train.jsonl"


def slots(text: str, question: str = "event") -> tuple[str, str, str, str]:
    main = understand(text, question).main
    assert main is not None, text
    return str(main.event), str(main.polarity), str(main.time), str(main.subject)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("没摔", ("fall", "negated", "recent", "self")),
        ("没有摔倒过", ("fall", "negated", "recent", "self")),
        ("不是没摔，是没敢说", ("fall", "affirmed", "recent", "self")),
        ("差点摔", ("fall", "negated", "recent", "self")),
        ("去年摔过", ("fall", "affirmed", "past", "self")),
        ("年轻时候摔过", ("fall", "affirmed", "past", "self")),
        ("要是摔了咋办", ("fall", "uncertain", "hypothetical", "self")),
        ("怕摔", ("fall", "uncertain", "hypothetical", "self")),
        ("老王摔了", ("fall", "affirmed", "recent", "other")),
        ("电视里说有人摔了", ("fall", "affirmed", "recent", "other")),
        ("摔没摔？", ("fall", "asked", "recent", "self")),
    ],
)
def test_the_four_slots_of_a_fall_follow_the_words_around_it(
    text: str, expected: tuple[str, str, str, str]
) -> None:
    assert slots(text) == expected


def test_a_denied_fall_does_not_hide_the_chest_pain_behind_it() -> None:
    meant = understand("没摔着，就是胸口疼得厉害", "event")
    assert meant.alert is Alert.URGENT
    assert meant.main is not None
    assert meant.main.event is Event.CHEST_PAIN
    assert {j.polarity for j in meant.judgements} == {Polarity.NEGATED, Polarity.AFFIRMED}


def test_pain_that_has_eased_is_looked_at_but_is_no_emergency() -> None:
    meant = understand("胸口不疼了，昨天疼得要命", "health")
    assert meant.alert is Alert.REVIEW


@pytest.mark.parametrize(
    "text", ["累死了", "笑死我了", "气死我了", "上火了", "热死人了", "你们是我的救命稻草"]
)
def test_idioms_are_never_an_emergency(text: str) -> None:
    meant = understand(text)
    assert meant.alert is not Alert.URGENT
    assert meant.main is None


@pytest.mark.parametrize(
    "text", ["救命啊", "快来人", "帮我叫救护车", "来人哪，我不行了", "我在地上坐半天了", "下不来床"]
)
def test_a_plea_or_an_indirect_plea_is_urgent_in_any_question(text: str) -> None:
    for question in Question:
        meant = understand(text, question)
        assert meant.alert is Alert.URGENT, question
        assert meant.evidence


def test_swallowed_pills_with_a_polite_excuse_are_urgent() -> None:
    assert understand("药我都吃了，不想麻烦你们了", "mood").alert is Alert.URGENT


@pytest.mark.parametrize(
    ("damaged", "event"),
    [
        ("我甩了一跤", "fall"),
        ("屋里着货了", "fire"),
        ("我穿不上气", "breathless"),
        ("就命啊，叫不行了", None),
    ],
)
def test_homophones_of_danger_are_still_understood(damaged: str, event: str | None) -> None:
    meant = understand(damaged, "event")
    assert meant.alert is not Alert.NONE
    if event:
        assert meant.main is not None
        assert meant.main.event == event
        assert meant.main.cost > 0
        assert meant.main.evidence in damaged


@pytest.mark.parametrize(
    "text", ["我去买东西", "东西卖了", "把手机密码告诉我闺女了", "刮了一阵风", "换了个老板"]
)
def test_ordinary_words_are_not_bent_into_danger(text: str) -> None:
    assert understand(text).alert is Alert.NONE


def test_polite_denial_is_no_answer_to_a_safety_question() -> None:
    for question in ("gas", "electricity", "fire", "water_heating"):
        assert understand("没事没事", question).answer == "unclear"


def test_contradiction_takes_the_worse_reading() -> None:
    assert understand("够，不够，这个月就不够", "economy").answer == "short"


def test_a_spouse_in_danger_does_not_make_the_elder_unwell() -> None:
    meant = understand("我好得很，就是老伴三天没醒了", "health")
    assert (meant.alert, meant.answer) == (Alert.URGENT, "good")
    assert meant.main is not None
    assert meant.main.subject is Subject.SPOUSE
    assert meant.main.time is Time.NOW


@pytest.mark.parametrize(
    ("text", "disposition"),
    [
        ("您拨打的电话已关机，请稍后再拨", CallDisposition.POWERED_OFF),
        ("对不起，您拨打的电话已停机", CallDisposition.SUSPENDED),
        ("您拨打的号码是空号，请核对后再拨", CallDisposition.INVALID_NUMBER),
        ("您拨打的用户正在通话中", CallDisposition.BUSY),
        ("您拨打的电话暂时无法接通", CallDisposition.UNREACHABLE),
        ("您拨打的电话无人接听", CallDisposition.NO_ANSWER),
        ("the number you have dialed is powered off", CallDisposition.POWERED_OFF),
        ("the subscriber you dialed cannot be connected", CallDisposition.UNREACHABLE),
        ("请在滴声后留言", CallDisposition.VOICEMAIL),
        ("please leave a message after the tone", CallDisposition.VOICEMAIL),
    ],
)
def test_carriers_and_machines_are_known_by_their_words(text: str, disposition: CallDisposition) -> None:
    meant = understand(text)
    assert meant.answer in ("carrier_announcement", "machine")
    assert meant.announcement == disposition


@pytest.mark.parametrize("text", ["前几天欠费停机了，刚交上", "我手机老关机", "喂……谁呀……哪位"])
def test_a_person_who_uses_the_carriers_words_or_is_slow_stays_a_person(text: str) -> None:
    meant = understand(text)
    assert meant.answer == "other"
    assert meant.announcement is None


def test_needs_and_illnesses_are_named() -> None:
    assert understand("想有人给送饭，再帮着洗个澡", "needs").details == ("meals", "bathing")
    assert "高血压" in understand("有高血压，还有糖尿病", "illness").details
    assert understand("不用送饭，就缺个轮椅", "needs").details == ("equipment",)


def test_evidence_is_quoted_as_it_was_heard() -> None:
    text = "哎呀 我 喘 不 上 气 了"
    meant = understand(text, "health")
    assert meant.alert is Alert.URGENT
    assert meant.main is not None
    assert text[meant.main.start : meant.main.end] == meant.main.evidence
    assert meant.main.evidence.startswith("喘")


def test_the_recognisers_spaces_change_nothing() -> None:
    for text in ("我摔倒了起不来", "没有胸闷也不气短", "煤气忘了关屋里味大"):
        spaced = " ".join(text)
        assert understand(spaced, "health").alert == understand(text, "health").alert


def test_the_json_line_has_null_slots_without_an_event() -> None:
    line = understand_line({"id": "x1", "question": "economy", "text": "够花"})
    assert line["id"] == "x1"
    assert (line["alert"], line["answer"]) == ("none", "enough")
    assert [line[k] for k in ("event", "polarity", "time", "subject")] == [None] * 4


def test_a_line_with_an_unknown_question_is_judged_as_any() -> None:
    assert understand_line({"id": 1, "question": "weather", "text": "救命"})["alert"] == "urgent"


def test_an_unknown_question_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="weather"):
        understand("好", "weather")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("等你们回电话我早断气了", "event"),
        ("等到你们来我早见阎王了", "callback"),
        ("等你们来我早就死透了", "needs"),
        ("等救护车来我都硬了", "any"),
    ],
)
def test_a_bitter_word_about_coming_too_late_is_at_least_looked_at(text: str, question: str) -> None:
    assert understand(text, question).alert is not Alert.NONE
    assert by_rules(text, Question(question), default_lexicon())[0].alert is not Alert.NONE


@pytest.mark.parametrize(
    "text",
    [
        "刚才晕过去一会儿，醒了，现在站不住",
        "刚才晕过去了，缓过来了，腿软站不住",
        "今早昏过去了，醒过来了，眼前还发黑",
    ],
)
def test_who_fainted_just_now_and_cannot_stand_is_urgent_by_the_rules_alone(text: str) -> None:
    assert by_rules(text, Question.EVENT, default_lexicon())[0].alert is Alert.URGENT
    assert understand(text, "event").alert is Alert.URGENT


@pytest.mark.parametrize("text", ["刚才晕过去了，现在好了", "上礼拜晕过去一回，现在走路站不稳"])
def test_a_faint_that_is_over_or_a_week_old_is_no_emergency(text: str) -> None:
    assert understand(text, "health").alert is not Alert.URGENT


@pytest.mark.parametrize(
    "text",
    ["起火了咋跑", "失火了咋往外跑", "起火了怎么逃", "着火了从哪儿跑", "着火了往哪跑", "着火了我咋跑出去"],
)
def test_who_asks_how_one_would_flee_from_a_fire_has_none(text: str) -> None:
    assert understand(text, "fire").alert is not Alert.URGENT


@pytest.mark.parametrize(
    "text", ["厨房着火了，我往哪跑啊", "屋里着火了，快来人，我跑不出去", "起火了，烟老大了，咋跑啊"]
)
def test_a_fire_in_a_named_room_or_with_smoke_is_real(text: str) -> None:
    assert understand(text, "fire").alert is Alert.URGENT


def train_rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in TRAIN.read_text(encoding="utf-8").splitlines() if line]


def test_the_training_corpus_is_large_and_well_labelled() -> None:
    rows = train_rows()
    assert len(rows) >= 400
    assert len({r["id"] for r in rows}) == len(rows)
    assert {r["question"] for r in rows} == {str(q) for q in Question}
    assert {r["event"] for r in rows if r["event"]} >= {str(e) for e in Event}
    for row in rows:
        assert row["answer"] in ANSWERS[Question(row["question"])] | CONTROLS, row["id"]


def test_the_training_corpus_is_understood() -> None:
    report = score(train_rows())
    assert report.urgent_recall.value >= 0.98
    assert report.urgent_precision.value >= 0.95
    assert report.alert.value >= 0.95
    assert report.answer.value >= 0.93
    assert report.all_slots.value >= 0.93


def test_the_score_names_every_miss() -> None:
    report = score(
        [
            {
                "id": "m1",
                "question": "economy",
                "text": "够花",
                "alert": "urgent",
                "answer": "short",
                "event": None,
                "polarity": None,
                "time": None,
                "subject": None,
            }
        ]
    )
    assert report.urgent_recall.value == 0.0
    assert report.misses[0]["wrong"]["answer"] == {"wanted": "short", "got": "enough"}
