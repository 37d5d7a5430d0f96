"""Whole conversations, as text, with the real understanding: the policies of a patient caller."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.interpreter import hear, hung_up, left_open, start
from ivr.dialogue.model import (
    Action,
    Because,
    Callee,
    DutyAnswered,
    DutyFailed,
    DutyNext,
    End,
    Heard,
    Keys,
    Listen,
    Noise,
    RaiseAlert,
    Remember,
    RingDuty,
    Say,
    Silence,
    Speech,
    StoreAnswer,
)
from ivr.dialogue.urgent import MOST_RINGS_AGAIN
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert, AnswerSource, Speaker

pytestmark = pytest.mark.unit

PLAN = dialplan.load("weekly_short")
TITLE = "王奶奶"


@dataclass
class Call:
    """Drives one call and keeps everything that was done."""

    callee: Callee = field(default_factory=lambda: Callee(TITLE))
    done: list[Action] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = start(PLAN, self.callee)
        self.done += self.last.actions

    def heard(self, *what: Heard | str) -> Call:
        for one in what:
            self.last = hear(PLAN, self.last.state, Speech(one) if isinstance(one, str) else one)
            self.done += self.last.actions
        return self

    def silent(self, times: int = 1) -> Call:
        return self.heard(*[Silence()] * times)

    @property
    def said(self) -> list[str]:
        """What the last step says."""
        return [text for action in self.last.actions if isinstance(action, Say) for text in action.texts]

    @property
    def ever_said(self) -> list[str]:
        return [text for action in self.done if isinstance(action, Say) for text in action.texts]

    @property
    def listening(self) -> Listen:
        return next(action for action in reversed(self.last.actions) if isinstance(action, Listen))

    @property
    def answers(self) -> dict[str, str]:
        return {action.question: action.answer for action in self.done if isinstance(action, StoreAnswer)}

    @property
    def alerts(self) -> list[Alert]:
        return [action.understanding.alert for action in self.done if isinstance(action, RaiseAlert)]

    @property
    def ended(self) -> Because | None:
        return next((action.because for action in self.done if isinstance(action, End)), None)


def at_health() -> Call:
    call = Call().heard("喂", "是我")
    assert call.listening.question == "health"
    return call


def at_event() -> Call:
    call = at_health().heard("挺好的")
    assert call.listening.question == "event"
    return call


def in_danger() -> Call:
    call = at_health().heard("救命啊，我胸口疼得厉害，喘不上气")
    assert call.last.state.urgent
    return call


# ---- opening and greeting -------------------------------------------------------------------


def test_the_call_listens_before_it_speaks() -> None:
    listen = start(PLAN).actions
    assert listen == (Listen(Question.ANY, "opening", 2.0, 20.0),)


def test_the_greeting_says_first_who_calls_that_it_is_automatic_and_how_to_stop_it() -> None:
    said = Call().heard("喂").said
    assert said[0] == "王奶奶，您好。"
    assert "民政部门" in said[1]
    assert "自动" in said[1]
    assert "录音" in said[2]
    assert "不收钱" in said[3]
    assert "再说一遍" in said[4]
    assert "不要再打" in said[4]


def test_a_call_that_is_not_recorded_does_not_claim_to_be() -> None:
    assert not any("录音" in text for text in Call(Callee(TITLE, recorded=False)).heard("喂").said)


def test_without_a_title_the_greeting_is_neutral() -> None:
    assert Call(Callee()).heard("喂").said[0] == "您好。"


def test_a_carrier_that_says_powered_off_ends_the_call_without_a_word_of_ours() -> None:
    call = Call().heard("您好，您拨打的电话已关机，请稍后再拨")
    assert call.last.actions == (End(Because.ANNOUNCEMENT, "powered_off"),)
    assert call.last.speaker is Speaker.MACHINE


def test_a_voice_assistant_is_a_machine_also_after_the_greeting() -> None:
    call = Call().heard("喂", "您好，我是机主的智能语音助手，请问您有什么事可以告诉我")
    assert call.ended is Because.MACHINE


def test_a_slow_hello_is_a_person() -> None:
    assert Call().heard("喂……谁呀……哪位").listening.question == "identity"


def test_nobody_ever_speaking_is_silent_after_rewording_and_keypad() -> None:
    call = Call().silent()
    assert call.listening.question == "identity"
    assert call.silent().said == [PLAN.identity.rephrase]
    assert call.silent().said == [PLAN.identity.keypad]
    assert call.listening.keypad
    assert call.silent().ended is Because.SILENT


def test_a_busy_tone_before_anybody_spoke_is_the_carriers_answer() -> None:
    assert Call().heard(Noise("busy")).last.actions == (End(Because.ANNOUNCEMENT, "busy"),)


def test_music_behind_an_answer_is_waited_for() -> None:
    call = Call().heard(Noise("music"), Noise("music"))
    assert call.listening.question == "opening"
    assert call.heard("喂").listening.question == "identity"


# ---- who is it ------------------------------------------------------------------------------


def test_somebody_else_hears_nothing_about_the_elder() -> None:
    call = Call().heard("喂", "我是他儿子，他不在家")
    assert call.said == [PLAN.other_person.say]
    assert call.silent().ended is Because.OTHER_PERSON
    questions = {text for ask in PLAN.questions for text in (ask.say, ask.rephrase, ask.keypad)}
    assert not questions & set(call.ever_said)


def test_what_a_relative_volunteers_is_kept_as_relative_says() -> None:
    call = Call().heard("喂", "我是他儿子", "他身体不好，这几天老头晕")
    stored = [
        action for action in call.done if isinstance(action, StoreAnswer) and action.question == "health"
    ]
    assert [(action.answer, action.source) for action in stored] == [("worse", AnswerSource.RELATIVE)]
    assert call.ended is Because.OTHER_PERSON


def test_danger_from_a_relative_is_urgent() -> None:
    call = Call().heard("喂", "我是他老伴，他脸都紫了，喘不上气，你快叫人")
    assert call.alerts == [Alert.URGENT]
    assert call.last.speaker is Speaker.RELATIVE


def test_the_elder_is_waited_for_when_somebody_goes_to_fetch_them() -> None:
    call = Call().heard("喂", "我是他儿子", "我去叫他，你等着")
    assert call.listening.seconds == PLAN.listen.handover
    call.heard("喂", "是我")
    assert call.listening.question == "health"
    assert not call.last.state.relative


def test_a_wrong_number_is_apologised_to() -> None:
    assert Call().heard("喂", "你打错了").ended is Because.WRONG_NUMBER


def test_whoever_has_no_time_is_called_later() -> None:
    assert at_health().heard("我这会儿忙，你晚点打").ended is Because.ASKED_LATER


# ---- asking ---------------------------------------------------------------------------------


def test_a_well_elder_is_through_after_six_answers_and_no_alert() -> None:
    call = at_health().heard("挺好的", "没有摔", "心情挺好", "都好使，没味儿", "啥也不缺", "不用", "没有了")
    assert call.alerts == []
    assert call.ended is Because.FINISHED
    assert {**call.answers} == {
        "identity": "self",
        "health": "good",
        "event": "no",
        "mood": "good",
        "gas": "safe",
        "needs": "no",
        "callback": "no",
    }


def test_every_answer_is_acknowledged_before_the_next_question() -> None:
    assert at_health().heard("挺好的").said[0] == "那就好。"


def test_polite_denial_of_danger_is_asked_once_for_something_concrete() -> None:
    concrete = next(ask.concrete for ask in PLAN.questions if ask.id == "event")
    call = at_event().heard("没事没事")
    assert call.said == [concrete]
    assert call.heard("没事没事").said != [concrete]


def test_politeness_about_health_is_taken_once_it_was_asked_concretely() -> None:
    call = at_health().heard("没事没事")
    assert "吃饭、睡觉" in call.said[0]
    assert call.heard("没事没事").answers["health"] == "same"


def test_speech_that_was_not_recognised_is_no_politeness_and_is_asked_in_other_words() -> None:
    event = next(ask for ask in PLAN.questions if ask.id == "event")
    assert at_event().heard("[unk]").said == [event.rephrase]


def test_a_call_in_which_nothing_was_recognised_is_unheard_and_not_silent() -> None:
    assert Call().heard("[unk]", "[unk]", "[unk]", "[unk]").ended is Because.UNHEARD


def test_no_answer_is_asked_in_other_words_then_by_keypad_then_kept_as_unclear() -> None:
    health = PLAN.questions[0]
    call = at_health().silent()
    assert call.said == [health.rephrase]
    assert call.silent().said == [health.keypad]
    assert call.silent().answers["health"] == "unclear"
    assert call.listening.question == "event"


def test_two_questions_lost_in_a_row_end_the_call_as_unheard() -> None:
    call = at_health().silent(6)
    assert call.ended is Because.UNHEARD
    assert PLAN.goodbye.unheard in call.said


def test_a_key_answers_the_question() -> None:
    call = at_health().silent(2).heard(Keys("1"))
    stored = next(a for a in call.done if isinstance(a, StoreAnswer) and a.question == "health")
    assert (stored.answer, stored.source) == ("same", AnswerSource.KEYPAD)


def test_the_help_key_rings_a_human_at_once() -> None:
    call = at_event().heard(Keys("3"))
    assert call.alerts == [Alert.URGENT]
    assert any(isinstance(action, RingDuty) for action in call.last.actions)


def test_a_key_that_reports_worse_is_looked_at_by_a_human() -> None:
    assert at_health().heard(Keys("2")).alerts == [Alert.REVIEW]


def test_asking_to_hear_it_again_gives_the_slower_wording() -> None:
    call = at_health().heard("再说一遍")
    assert call.said == [PLAN.questions[0].rephrase]


def test_asking_for_slower_is_remembered_and_the_rest_is_slower() -> None:
    call = at_health().heard("大点声，听不见")
    assert Remember("hard_of_hearing") in call.done
    assert call.heard("挺好的").said[-1] == PLAN.questions[1].rephrase


def test_an_elder_known_to_hear_badly_is_asked_slowly_from_the_start() -> None:
    assert Call(Callee(TITLE, slow=True)).heard("喂").said[-1] == PLAN.identity.rephrase


def test_a_murmur_instead_of_an_answer_is_encouraged() -> None:
    assert at_health().heard("嗯嗯").said == [PLAN.go_on]


def test_a_murmur_while_we_speak_is_no_answer() -> None:
    assert at_health().heard(Speech("嗯嗯", during_prompt=True)).last.actions == ()


def test_a_concrete_answer_while_we_speak_is_taken() -> None:
    call = at_health().heard(Speech("身体挺好的", during_prompt=True))
    assert call.answers["health"] == "good"


def test_a_bare_early_no_to_a_safety_question_is_not_taken() -> None:
    assert at_event().heard(Speech("没有", during_prompt=True)).last.actions == ()


def test_an_answer_of_worse_is_told_to_a_human() -> None:
    call = at_health().heard("不行喽，老喽，一年不如一年")
    assert call.alerts == [Alert.REVIEW]
    assert call.answers["health"] == "worse"


def test_a_resumed_call_skips_what_was_answered() -> None:
    call = Call(Callee(TITLE, answered=("health", "event"))).heard("喂", "是我")
    assert call.listening.question == "mood"


def test_a_son_who_takes_the_telephone_in_the_middle_hears_no_more_questions() -> None:
    call = at_event().heard("我是他儿子")
    assert call.listening.question == "relative"


# ---- open danger words ----------------------------------------------------------------------


def test_a_clean_denial_raises_nothing() -> None:
    call = at_event().heard("没摔，也不疼")
    assert call.alerts == []
    assert call.answers["event"] == "no"


def test_an_open_fall_is_asked_about_once_and_a_no_clears_it() -> None:
    call = at_event().heard("好像摔了")
    assert call.listening.question == "confirm"
    call.heard("没有摔")
    assert call.alerts == []


def test_an_open_fall_without_a_clear_reply_is_reviewed() -> None:
    call = at_event().heard("好像摔了").silent()
    assert call.alerts == [Alert.REVIEW]
    assert call.ended is None


def test_an_open_danger_that_is_confirmed_becomes_urgent() -> None:
    call = at_health().heard("嗯……嗯……疼……")
    assert call.listening.question == "confirm"
    call.heard("是，疼得受不了")
    assert Alert.URGENT in call.alerts
    assert call.last.state.urgent


def test_an_open_danger_is_not_lost_when_the_elder_hangs_up() -> None:
    call = at_event().heard("好像摔了")
    raised = left_open(call.last.state)
    assert [alert.understanding.alert for alert in raised] == [Alert.REVIEW]
    assert left_open(at_health().last.state) == ()


def test_politeness_does_not_clear_an_open_danger() -> None:
    assert at_event().heard("好像摔了", "没事没事").alerts == [Alert.REVIEW]


def test_what_was_said_with_an_open_danger_at_the_identity_question_still_identifies() -> None:
    call = Call().heard("喂", "是我，好像摔了").silent()
    assert call.answers["identity"] == "self"
    assert call.listening.question == "health"


@pytest.mark.parametrize("reply", ["等一下", "等会儿啊"])
def test_one_moment_is_waited_for_and_is_no_other_day(reply: str) -> None:
    call = Call().heard("喂", reply)
    assert call.ended is None
    assert call.listening.seconds == PLAN.listen.handover
    assert call.heard("是我").listening.question == "health"


def test_a_bare_no_means_safe_only_after_the_concrete_wording() -> None:
    call = at_event().heard("没有摔", "心情挺好")
    assert call.listening.question == "gas"
    call.heard("没有")
    assert "gas" not in call.answers
    assert "煤气味" in call.said[0]
    assert call.heard("没有").answers["gas"] == "safe"


def test_a_smell_of_gas_after_the_concrete_wording_is_confirmed_once_and_then_danger() -> None:
    call = at_event().heard("没有摔", "心情挺好", "没有", "有")
    assert call.said == ["您家里，现在有煤气味吗？"]
    assert call.alerts == []
    assert call.heard("有").alerts == [Alert.URGENT]


# ---- danger ---------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [[], ["喂"], ["喂", "是我"], ["喂", "是我", "挺好的"]])
def test_danger_is_raised_at_every_stage_before_a_word_is_said(before: list[str]) -> None:
    call = Call().heard(*before, "救命啊，我起不来了")
    kinds = [type(action) for action in call.last.actions]
    assert kinds.index(RaiseAlert) < kinds.index(RingDuty) < kinds.index(Say)
    assert PLAN.urgent.now in call.said


def test_danger_during_our_own_words_stops_them() -> None:
    call = at_health().heard(Speech("哎呀我摔倒了起不来", during_prompt=True))
    assert call.alerts == [Alert.URGENT]


def test_danger_during_the_goodbye_opens_the_call_again() -> None:
    call = at_health().heard("挺好的", "没有摔", "心情挺好", "都好使", "啥也不缺", "不用", "没有了")
    assert call.ended is Because.FINISHED
    call.heard(Speech("救命，我胸口疼得厉害", during_prompt=True))
    assert call.alerts == [Alert.URGENT]
    assert call.listening.question == "urgent"


def test_something_worrying_during_the_goodbye_still_reaches_a_human() -> None:
    call = at_health().heard("挺好的", "没有摔", "心情挺好", "都好使", "啥也不缺", "不用", "没有了")
    call.heard(Speech("我昨天摔了一跤", during_prompt=True))
    assert call.alerts == [Alert.REVIEW]
    assert isinstance(call.last.actions[-1], End)


def test_the_line_is_held_with_calm_words_until_somebody_comes() -> None:
    call = in_danger()
    for _ in range(5):
        call.silent()
        assert call.said
        assert call.listening.question == "urgent"


def test_with_the_duty_person_on_the_line_we_are_silent() -> None:
    call = in_danger().heard(DutyAnswered())
    assert call.said == [PLAN.urgent.duty_here]
    assert call.heard("我胸口疼").last.actions == ()
    assert call.heard(Silence()).last.actions == ()
    assert hung_up(PLAN, call.last.state) is Because.URGENT


def test_while_one_number_after_the_other_is_rung_the_elder_hears_that_we_go_on() -> None:
    call = in_danger()
    for _ in range(20):  # longer than the line is held for a telephone that never reports back
        call.silent().heard(DutyNext())
        assert call.said == [PLAN.urgent.duty_next]
        assert call.listening.question == "urgent"
    assert call.heard(DutyAnswered()).said == [PLAN.urgent.duty_here]


def test_joined_with_what_was_no_person_after_all_the_elder_is_with_us_again() -> None:
    call = in_danger().heard(DutyAnswered(), DutyNext())
    assert call.said == [PLAN.urgent.duty_next]
    assert call.heard("我胸口疼").said, "he is heard and answered again"
    assert call.heard(DutyFailed()).said == [PLAN.urgent.duty_failed]


def rings(call: Call) -> bool:
    return any(isinstance(action, RingDuty) for action in call.last.actions)


@pytest.mark.parametrize("cry", ["快来人", "我胸口疼得厉害"])
def test_a_cry_after_the_duty_person_has_left_rings_again(cry: str) -> None:
    """We said that we were calling him, and nobody was being called."""
    call = in_danger().heard(DutyAnswered(), DutyFailed())
    assert call.ended is Because.URGENT, "he has spoken with the elder and hung up: our last words"
    call.heard(Speech(cry, during_prompt=True))
    assert rings(call)
    assert PLAN.urgent.now in call.said
    assert call.listening.question == "urgent"
    assert call.heard(DutyAnswered()).said == [PLAN.urgent.duty_here]


def test_who_cries_again_and_again_is_rung_for_a_few_times_and_then_hears_only_what_is_true() -> None:
    call = in_danger()
    for _ in range(MOST_RINGS_AGAIN):
        assert rings(call.heard(DutyAnswered(), DutyFailed(), "快来人"))
    call.heard(DutyAnswered(), DutyFailed(), "快来人")
    assert not rings(call)
    assert call.said == [PLAN.urgent.hold_failed[0]]
    call.done.clear()
    assert call.silent(6).ended is Because.URGENT, "and then the call ends by itself"


def test_a_new_danger_after_nobody_came_rings_again_the_same_one_does_not() -> None:
    call = in_danger().heard(DutyFailed())
    assert not rings(call.heard("我胸口疼得厉害"))
    assert rings(call.heard("厨房着火了"))
    assert PLAN.urgent.now in call.said


def test_a_duty_person_who_comes_while_we_say_goodbye_is_joined_all_the_same() -> None:
    call = in_danger().heard(DutyFailed()).silent(10)
    assert call.ended is Because.URGENT
    assert call.heard(DutyAnswered()).said == [PLAN.urgent.duty_here]
    assert call.last.state.at == "with_duty"


def test_a_number_that_is_rung_in_vain_after_the_goodbye_changes_nothing() -> None:
    call = in_danger().heard("再见，我挂了")
    assert call.heard(DutyNext()).last.actions == ()


def test_when_nobody_answers_the_duty_telephone_the_elder_is_told_what_happens() -> None:
    call = in_danger().heard(DutyFailed())
    assert call.said == [PLAN.urgent.duty_failed]
    call.silent(10)
    assert call.ended is Because.URGENT
    assert PLAN.urgent.end in call.ever_said


def test_a_duty_telephone_that_never_reports_back_does_not_hold_the_line_for_ever() -> None:
    assert in_danger().silent(30).ended is Because.URGENT


def test_the_same_danger_again_is_one_alert_and_a_new_danger_is_another() -> None:
    call = at_health().heard("我摔倒了起不来")
    call.heard("我起不来了，快来人")
    assert len(call.alerts) == 1
    call.heard("厨房着火了")
    assert len(call.alerts) == 2


def test_the_elder_may_end_an_urgent_call() -> None:
    assert in_danger().heard("再见，我挂了").ended is Because.URGENT


def test_an_urgent_answer_is_kept_too() -> None:
    assert in_danger().answers["health"] == "worse"


# ---- requests at any time -------------------------------------------------------------------


def test_never_again_is_confirmed_kept_and_ends_kindly() -> None:
    call = at_health().heard("以后不要给我打电话了")
    assert call.said == [PLAN.opt_out.say]
    call.heard("对，别打了")
    assert Remember("opt_out") in call.done
    assert call.answers["opt_out"] == "opt_out"
    assert call.ended is Because.OPT_OUT
    assert Alert.REVIEW in call.alerts


def test_what_the_greeting_offers_to_say_works_at_every_stage() -> None:
    for before in (["喂"], ["喂", "是我"], ["喂", "是我", "挺好的"]):
        assert Call().heard(*before, "不要再打").said == [PLAN.opt_out.say]
        assert (
            Call().heard(*before, "再说一遍").listening.question == Call().heard(*before).listening.question
        )


def test_never_again_that_was_not_meant_goes_on() -> None:
    call = at_health().heard("以后不要给我打电话了", "不是，你接着打吧")
    assert Remember("opt_out") not in call.done
    assert call.listening.question == "health"


def test_never_again_without_a_clear_reply_ends_this_call_only() -> None:
    call = at_health().heard("以后不要给我打电话了").silent(2)
    assert Remember("opt_out") not in call.done
    assert call.ended is Because.REFUSED


@pytest.mark.parametrize(
    "before",
    [(), ("喂",), ("喂", "我是他儿子")],
    ids=["at once", "after our greeting", "known as a relative"],
)
@pytest.mark.parametrize("said", ["我是他女儿，你们以后不要再打了", "别打了，我是他儿子"])
def test_a_relative_who_says_never_again_withdraws_nothing(before: tuple[str, ...], said: str) -> None:
    call = Call().heard(*before, said)
    assert Remember("opt_out") not in call.done
    stored = [each for each in call.done if isinstance(each, StoreAnswer) and each.question == "opt_out"]
    assert [(each.text, each.source) for each in stored] == [(said, AnswerSource.RELATIVE)]
    assert call.ended is Because.OTHER_PERSON
    assert call.said == [PLAN.other_person.noted, PLAN.other_person.goodbye]
    assert call.last.speaker is Speaker.RELATIVE


def test_a_relative_may_say_so_when_we_ask_whether_it_was_meant() -> None:
    call = Call().heard("喂", "不要再打", "我是他女儿，别再打了")
    assert Remember("opt_out") not in call.done
    assert call.ended is Because.OTHER_PERSON


def test_who_takes_the_telephone_from_the_elder_withdraws_nothing_either() -> None:
    assert at_health().heard("我是他儿子，你们别再打了").ended is Because.OTHER_PERSON


@pytest.mark.parametrize(
    "said", ["我老伴不在了，你们不要再打了", "我儿子天天在家，你们别再打了", "是我，别再打了"]
)
def test_the_elder_himself_who_speaks_of_others_is_still_asked(said: str) -> None:
    assert at_health().heard(said).said == [PLAN.opt_out.say]


def test_asking_for_a_human_is_promised_and_reaches_one() -> None:
    call = at_health().heard("我要找个人说话，不跟机器说")
    assert PLAN.ask_human in call.said
    assert call.alerts == [Alert.REVIEW]
    assert call.listening.question == "health"


def test_a_goodbye_in_the_middle_is_respected() -> None:
    assert at_event().heard("再见，我挂了").ended is Because.HUNG_UP


# ---- hanging up -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "because"),
    [
        ([], Because.SILENT),
        ([Silence()], Because.SILENT),
        (["喂"], Because.HUNG_UP),
        (["喂", "是我", "挺好的"], Because.HUNG_UP),
        (["喂", "我是他儿子"], Because.OTHER_PERSON),
        (["喂", "是我", "救命，我起不来了"], Because.URGENT),
        (["喂", "是我", "以后不要给我打电话了"], Because.REFUSED),
        (["喂", "是我", "挺好的", "没有摔", "心情挺好", "都好使", "啥也不缺"], Because.FINISHED),
    ],
)
def test_hanging_up_means_what_was_reached(heard: list[Heard | str], because: Because) -> None:
    assert hung_up(PLAN, Call().heard(*heard).last.state) is because


# ---- a supervisor takes over ------------------------------------------------------------------


def taken_over() -> Call:
    return at_health().heard(DutyAnswered(unasked=True))


def test_who_takes_over_stops_the_questions_and_is_announced() -> None:
    call = taken_over()
    assert call.said == [PLAN.urgent.duty_here]
    assert not any(isinstance(action, Listen) for action in call.last.actions)
    call.heard("挺好的", "是我闺女吗")
    assert call.last.actions == ()
    assert call.last.state.at == "with_duty"


def test_after_a_take_over_the_call_ends_with_a_plain_goodbye_and_counts_as_heard() -> None:
    call = taken_over().heard(DutyFailed())
    assert call.said == [PLAN.goodbye.finished]
    assert call.ended is Because.FINISHED
    assert hung_up(PLAN, taken_over().last.state) is Because.FINISHED


def test_danger_told_to_who_took_over_is_raised_and_nobody_speaks_in_between() -> None:
    call = taken_over().heard("哎呀我摔倒了，起不来了")
    assert call.alerts == [Alert.URGENT]
    assert not any(isinstance(action, Say | RingDuty) for action in call.last.actions)


def test_only_who_was_sent_for_in_danger_joins_without_being_asked() -> None:
    call = at_health()
    assert call.heard(DutyAnswered()).last.actions == ()
    assert call.last.state.at == "health"
