"""Understanding of what elders say on the telephone (语义判断): pure rules over a lexicon of data."""

from ivr.understanding.check import Change, Problem, check, diff
from ivr.understanding.lexicon import (
    Lexicon,
    announcement_phrases,
    answer_phrases,
    control_phrases,
    default_lexicon,
    distress_phrases,
    with_overlay,
)
from ivr.understanding.model import (
    ANSWERS,
    CONTROLS,
    Event,
    Judgement,
    Polarity,
    Question,
    Subject,
    Time,
    Understanding,
)
from ivr.understanding.score import Report, score, understand_line
from ivr.understanding.service import understand

__all__ = [
    "ANSWERS",
    "CONTROLS",
    "Change",
    "Event",
    "Judgement",
    "Lexicon",
    "Polarity",
    "Problem",
    "Question",
    "Report",
    "Subject",
    "Time",
    "Understanding",
    "announcement_phrases",
    "answer_phrases",
    "check",
    "control_phrases",
    "default_lexicon",
    "diff",
    "distress_phrases",
    "score",
    "understand",
    "understand_line",
    "with_overlay",
]
