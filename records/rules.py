"""From answers to the official form and to a risk level. Pure.

Three rules carry it: a value is relative to the last visit that knew it; what was not learnt is
said so and is never 无变化; a relative's word (家属代述) ranks below the elder's own, but worries
us all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ivr.understanding.model import Question
from records import model as form
from records.model import AlertFact, Assessment, Baseline, Level
from storage.model import Answer
from xunfang.vocabulary import Alert, AnswerSource, Risk, VisitMode

_UNCLEAR = "unclear"

# Worst first. An answer class that is missing here says nothing about its topic.
_WORST_FIRST: dict[str, tuple[str, ...]] = {
    Question.HEALTH: ("worse", "same", "good"),
    Question.MOOD: ("worse", "same", "good"),
    Question.MOBILITY: ("worse", "same", "good"),
    Question.ILLNESS: ("yes", "better", "none"),
    Question.GAS: ("unsafe", "partly", "safe"),
    Question.WATER_HEATING: ("unsafe", "partly", "safe"),
    Question.ELECTRICITY: ("unsafe", "partly", "safe"),
    Question.FIRE: ("unsafe", "partly", "safe"),
    Question.NEEDS: ("yes", "no"),
    Question.FAMILY: ("neglected", "alone", "calls_only", "visits"),
    Question.ECONOMY: ("short", "enough"),
    Question.EVENT: ("yes", "no"),
}
_SAFETY = {"safe": form.SAFE, "partly": form.FAIRLY_SAFE, "unsafe": form.UNSAFE}
_SAFETY_KEYS = ("gas", "water_heating", "electricity", "fire")
_LEVELS = {
    "good": Level.GOOD,
    "same": Level.USUAL,
    "worse": Level.BAD,
    "none": Level.GOOD,
    "better": Level.USUAL,
    "yes": Level.BAD,
}

# Answer classes that worry us, what the record says of them and what is advised.
_WORRIES: dict[tuple[str, str], tuple[str, str]] = {
    (Question.HEALTH, "worse"): ("自述身体变差", "上门了解身体状况，必要时协助就医"),
    (Question.MOOD, "worse"): ("情绪低落", "上门陪伴，关注情绪"),
    (Question.MOBILITY, "worse"): ("行动能力变差", "上门了解行动情况及适老化设施需求"),
    (Question.ILLNESS, "yes"): ("自述患病或病情加重", "上门了解病情，必要时协助就医"),
    (Question.GAS, "unsafe"): ("燃气不安全", "上门排查燃气隐患"),
    (Question.GAS, "partly"): ("燃气可能有隐患", "上门排查燃气隐患"),
    (Question.WATER_HEATING, "unsafe"): ("水暖不安全", "上门检查水暖设施"),
    (Question.WATER_HEATING, "partly"): ("水暖可能有隐患", "上门检查水暖设施"),
    (Question.ELECTRICITY, "unsafe"): ("用电不安全", "上门排查用电隐患"),
    (Question.ELECTRICITY, "partly"): ("用电可能有隐患", "上门排查用电隐患"),
    (Question.FIRE, "unsafe"): ("消防不安全", "上门排查火灾隐患"),
    (Question.FIRE, "partly"): ("消防可能有隐患", "上门排查火灾隐患"),
    (Question.FAMILY, "neglected"): ("家人很少看望问候", "联系子女，督促履行赡养义务"),
    (Question.ECONOMY, "short"): ("生活费用有困难", "核实是否符合救助保障政策"),
    (Question.EVENT, "yes"): ("近期有摔倒、胸口疼等情况", "上门核实身体情况，必要时协助就医"),
    (form.HOUSEHOLD, "yes"): ("家庭人口有变化", "核实家庭变化情况"),
    (form.SPECIAL, "yes"): ("家中近期有难事、变故或受灾", "核实变故情况，落实救助措施"),
}


def fill_form(answers: Iterable[Answer], baseline: Baseline | None, mode: VisitMode) -> dict[str, str]:
    """Every key of the form with a value. `baseline` None or empty: nobody visited before."""
    given = tuple(answers)
    said = _best(given)
    known: Baseline = baseline or {}
    filled: dict[str, str] = {"visit_mode": form.VISIT_MODE[mode]}
    for each in form.FORM:
        if each.key in filled:
            continue
        if not each.by_phone:
            filled[each.key] = form.UNSEEN
            continue
        answer = said.get(each.topic.value) if each.topic is not None else None
        filled[each.key] = form.NOT_ASKED if answer is None else _value(each.key, answer, known)
    filled["family_size"] = _family_size(said, known)
    filled["illness"] = _illness(said, known)
    filled["illness_name"] = _illness_name(said)
    filled["advice"] = _advice(given)
    return filled


def next_baseline(answers: Iterable[Answer], baseline: Baseline | None) -> dict[str, str]:
    """What the next visit is compared with: the old baseline, overlaid by what was learnt now.

    A topic that was unclear or not asked keeps its older level, so one bad call does not make
    the next visit a first visit.
    """
    after = dict(baseline or {})
    said = _best(answers)
    for topic in (Question.HEALTH, Question.MOOD, Question.MOBILITY):
        answer = said.get(topic)
        if answer is not None and answer.answer in _LEVELS:
            after[topic.value] = _LEVELS[answer.answer].value
    illness = _about_illness(said)
    if illness is not None and illness.answer in _LEVELS:
        after[Question.ILLNESS.value] = _LEVELS[illness.answer].value
        after["illness_name"] = "、".join(illness.details) if illness.answer == "yes" else ""
    household = said.get(form.HOUSEHOLD)
    if household is not None and household.answer in ("yes", "no"):
        after["family_size"] = Level.USUAL.value
    return after


def assess(answers: Iterable[Answer], alerts: Sequence[AlertFact], filled: Mapping[str, Any]) -> Assessment:
    """Risk of the visit with its reasons in Chinese, worst first.

    How well we heard never makes a risk of its own: an unclear answer is a question left open
    (未能确认), not a sign of a slower mind.
    """
    urgent = [_alert_reason(each) for each in alerts if each.alert is Alert.URGENT]
    reasons = list(urgent)
    given = tuple(answers)
    for answer in given:
        worry = _worry(answer)
        if worry is not None:
            by = form.BY_RELATIVE if answer.source is AnswerSource.RELATIVE else ""
            reasons.append(worry[0] + by)
    reasons += [_alert_reason(each) for each in alerts if each.alert is Alert.REVIEW]
    if urgent:
        risk = Risk.URGENT
    elif reasons:
        risk = Risk.ATTENTION
    else:
        risk = Risk.NORMAL
    needs = str(filled.get("needs", ""))
    if _is_statement(needs) and plain(needs) != form.NONE_SAID:
        reasons.append(f"有服务需求：{needs}")
    left_open = [each.label for each in form.FORM if filled.get(each.key) == form.UNCLEAR]
    if left_open:
        reasons.append(f"未能确认：{'、'.join(left_open)}")
    return Assessment(risk, tuple(dict.fromkeys(reasons)))


def plain(value: str) -> str:
    """A form value without the mark of who said it."""
    return value.removesuffix(form.BY_RELATIVE)


def worries(answers: Iterable[Answer]) -> tuple[str, ...]:
    """The worrying answers in words, for a case; relatives' words are marked."""
    return tuple(
        worry[0] + (form.BY_RELATIVE if each.source is AnswerSource.RELATIVE else "")
        for each in answers
        if (worry := _worry(each)) is not None
    )


def open_topics(answers: Iterable[Answer]) -> tuple[str, ...]:
    """What was asked and never became clear, in the words of the form.

    特殊情况 is asked in passing and not counted: its silence sends nobody to the door.
    """
    given = tuple(answers)
    best = _best(given)
    asked = dict.fromkeys(_subject(each) for each in given if each.answer == _UNCLEAR)
    return tuple(
        form.FIELD_OF[subject].label if subject in form.FIELD_OF else _SUBJECT_ZH.get(subject, subject)
        for subject in asked
        if subject != form.SPECIAL
        and best[subject].answer == _UNCLEAR
        and best[subject].topic in _WORST_FIRST
    )


_SUBJECT_ZH: dict[str, str] = {
    Question.HEALTH: "身体状况",
    Question.FAMILY: "家人看望情况",
    Question.ECONOMY: "生活保障",
    Question.EVENT: "近期突发情况",
    form.HOUSEHOLD: "家庭人口",
}


def _subject(answer: Answer) -> str:
    """What an answer is about: its topic, except where one topic serves several questions."""
    own = answer.topic == Question.EVENT and answer.question in (form.HOUSEHOLD, form.SPECIAL)
    return answer.question if own else answer.topic


def _worry(answer: Answer) -> tuple[str, str] | None:
    return _WORRIES.get((_subject(answer), answer.answer))


def _best(answers: Iterable[Answer]) -> dict[str, Answer]:
    """One answer per subject: clear before unclear, the elder before a relative, then the worse."""

    def rank(answer: Answer) -> tuple[bool, bool, int]:
        order = _WORST_FIRST.get(answer.topic, ())
        clear = answer.answer in order
        place = order.index(answer.answer) if clear else 0
        return (not clear, answer.source is AnswerSource.RELATIVE, place)

    best: dict[str, Answer] = {}
    for answer in answers:
        held = best.get(_subject(answer))
        if held is None or rank(answer) < rank(held):
            best[_subject(answer)] = answer
    return best


def _about_illness(said: Mapping[str, Answer]) -> Answer | None:
    """The answer on illness; an illness named when health was asked is one too."""
    health = said.get(Question.HEALTH)
    if Question.ILLNESS not in said and health is not None and health.answer == "worse" and health.details:
        return replace(health, topic=Question.ILLNESS.value, answer="yes")
    return said.get(Question.ILLNESS)


def _family_size(said: Mapping[str, Answer], baseline: Baseline) -> str:
    answer = said.get(form.HOUSEHOLD)
    if answer is None:
        return form.NOT_ASKED
    if answer.answer == "yes":
        return _marked(form.CHANGED, answer)
    if answer.answer != "no":
        return form.UNCLEAR
    return _marked(form.UNCHANGED if "family_size" in baseline else form.FIRST, answer)


def _marked(value: str, answer: Answer) -> str:
    return value + form.BY_RELATIVE if answer.source is AnswerSource.RELATIVE else value


def _value(key: str, answer: Answer, baseline: Baseline) -> str:
    if key in _SAFETY_KEYS:
        value = _SAFETY.get(answer.answer)
        return form.UNCLEAR if value is None else _marked(value, answer)
    if key == "needs":
        return _needs(answer)
    level = _LEVELS.get(answer.answer)
    if level is None:
        return form.UNCLEAR
    return _marked(_relative(level, baseline.get(answer.topic)), answer)


def _relative(now: Level, before: str | None) -> str:
    """无变化/较好/较差. Somebody who says "worse" is believed, whatever stood there before."""
    if now is Level.BAD:
        return form.WORSE
    if before is None:
        return form.FIRST
    if now is Level.GOOD and before == Level.BAD:
        return form.BETTER
    return form.UNCHANGED


def _illness(said: Mapping[str, Answer], baseline: Baseline) -> str:
    """疾病状况. When illness itself was not asked, "my health is as ever" may stand for it;
    "my health is worse" without a name may not, so it stays open."""
    answer = _about_illness(said)
    before = baseline.get(Question.ILLNESS)
    if answer is None:
        health = said.get(Question.HEALTH)
        if health is None:
            return form.NOT_ASKED
        if health.answer not in ("good", "same"):
            return form.UNCLEAR
        return _marked(form.FIRST if before is None else form.UNCHANGED, health)
    if answer.answer == "yes":
        names = "、".join(answer.details)
        known = names != "" and names == baseline.get("illness_name", "") and before == Level.BAD
        return _marked(form.UNCHANGED if known else form.SERIOUS, answer)
    if answer.answer == "better":
        return _marked(form.RECOVERING, answer)
    if answer.answer == "none":
        if before is None:
            return _marked(form.FIRST, answer)
        return _marked(form.RECOVERING if before == Level.BAD else form.UNCHANGED, answer)
    return form.UNCLEAR


def _illness_name(said: Mapping[str, Answer]) -> str:
    answer = _about_illness(said)
    if answer is None:
        return form.NOT_ASKED
    if answer.answer == "none":
        return form.NONE_SAID
    if not answer.details:
        return form.UNCLEAR
    return _marked("、".join(answer.details), answer)


def _needs(answer: Answer) -> str:
    if answer.answer == "no":
        return _marked(form.NONE_SAID, answer)
    if answer.answer != "yes":
        return form.UNCLEAR
    named = "、".join(dict.fromkeys(form.need_zh(each) for each in answer.details))
    return _marked(named or "有需求，待上门了解", answer)


def _advice(answers: Sequence[Answer]) -> str:
    advised = [worry[1] for each in answers if (worry := _worry(each)) is not None]
    for each in answers:
        if each.topic == Question.NEEDS and each.answer == "yes":
            advised.append(f"协调落实服务：{plain(_needs(each))}")
    return "；".join(dict.fromkeys(advised)) or "按期继续探访"


def _is_statement(value: str) -> bool:
    return value != "" and value not in form.NOT_A_STATEMENT


def _alert_reason(fact: AlertFact) -> str:
    by = "家属代述" if fact.relative else "本人说"
    head = "紧急" if fact.alert is Alert.URGENT else "待复核"
    return f"{head}：{by}“{fact.text}”" if fact.text else f"{head}：通话中出现报警"
