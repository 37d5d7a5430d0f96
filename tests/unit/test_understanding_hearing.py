"""听不清 is about the call, never about the elder: no question takes it for an answer (design rule 10)."""

from __future__ import annotations

import pytest

from ivr.understanding import understand
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

NOT_HEARD = {"not_heard", "repeat_request", "slower_louder"}


@pytest.mark.parametrize("question", Question)
@pytest.mark.parametrize("text", ["听不清", "听不清楚", "没听清", "再说一遍", "大点声", "我听不清你说啥"])
def test_whoever_cannot_hear_has_answered_nothing(text: str, question: Question) -> None:
    understood = understand(text, question)
    assert understood.answer in NOT_HEARD
    assert understood.alert is Alert.NONE
