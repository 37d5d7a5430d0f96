"""Answers that may come at any time, and which of them wins beside a real answer."""

from __future__ import annotations

import re

from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Question
from ivr.understanding.patterns import longest_only

# These win over any answer: the elder's will comes first.
OVERRIDING = ("opt_out", "ask_human")
# Beside no real answer, the first of these that was heard.
ORDER = (
    "opt_out", "ask_human", "silence_noise", "busy_later", "slower_louder", "repeat_request", "not_heard",
    "goodbye", "backchannel",
)  # fmt: skip
# A backchannel is one only when nothing else was said.
_ONLY_BACKCHANNEL = re.compile(
    r"^([嗯恩哦噢喔啊哎诶唔呃欸昂哈唉哼呐哪，]|[你您]?(接着|往下|继续)?[说讲问念](你的|下去)?[吧呢呀啊]?|在听呢?|知道|你说|你讲|说吧|讲吧|听着[呢了]?|我听着[呢了]?|接着讲|往下讲|接着说|你?继续|我在听|往下说|你问吧?|问吧|"
    r"是吗|这样啊|这样子|知道了|晓得了|明白了?|行行行|好好好|听到了|听见了|收到|懂了|好的?|行|对|是|呀|啊|吧|呢|了)+$"
)
_FOR_EVER = re.compile(r"以后|今后|往后|再也|再打|老打|总打|天天|永远|烦|删|下次")
# Who tells of the television or sings himself is a person: 这小品演得真好, 我正唱着呢.
_TELLS_OF_IT = re.compile(
    r"[我俺咱][^，？]{0,4}(唱|看|听|瞧|追|跳)|(这|那)(个|出|部)?(小品|戏|节目|电视|剧|歌|台)|哈哈"
)
# To the opening question a postponement is the answer (是我，我在外面，晚点打).
POSTPONES = frozenset({Question.IDENTITY, Question.ANY, Question.CALLBACK})


def find_controls(text: str, question: Question, lexicon: Lexicon) -> dict[str, int]:
    """Control classes heard and where each was heard last."""
    entries, patterns = lexicon.patterns("control")
    return {
        entries[h.owner].get("class"): h.start
        for h in longest_only(patterns.find(text))
        if not entries[h.owner].questions or question in entries[h.owner].questions
    }


def decide(
    controls: dict[str, int],
    answer: str,
    question: Question,
    *,
    answered_at: int,
    danger: bool,
    asks_back: bool,
    text: str,
) -> str:
    """The answer class of the utterance, given the controls heard and the answer to the question.

    `answered_at` is where the last word of the answer began (-1 when there was none).
    """
    if "backchannel" in controls and not _ONLY_BACKCHANNEL.match(text):
        controls = {c: at for c, at in controls.items() if c != "backchannel"}
    if danger or not controls:
        return answer
    if "backchannel" in controls and answer in ("unclear", "other"):
        return "backchannel"
    if "silence_noise" in controls and _TELLS_OF_IT.search(text):
        controls = {c: at for c, at in controls.items() if c != "silence_noise"}
        if not controls:
            return answer
    if question is Question.CALLBACK and answer == "no" and not _FOR_EVER.search(text):
        return answer  # 不用打 declines this one call, not all calls
    for control in OVERRIDING:
        if control in controls:
            return control
    if (
        question in POSTPONES
        and answer in ("self", "other", "unclear", "yes")
        and controls.get("busy_later", -1) > answered_at
    ):
        return "busy_later"
    if answer == "unclear" and question is Question.IDENTITY and asks_back and "repeat_request" in controls:
        return answer
    if answer in ("unclear", "other"):
        return next(c for c in ORDER if c in controls)
    return answer
