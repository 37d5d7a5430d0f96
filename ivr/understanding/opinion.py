"""The second opinion (第二意见): a linear model over n-grams, beside the rules.

The rules know the forms of Chinese that somebody wrote down; the model has seen some thousand
labelled sentences and weighs the words that nobody wrote down, and what the rules read beside
them; `fusion` says what it may decide. Weights are data (`opinion.npz`), made by `python -m
ivr.understanding.train` from the corpus files that may be learned from; nothing is learned in
service.

Shapes: `weights` int8 (features, columns), one column a class; `scale`, `bias` float32 (columns).
Score of a column = bias + scale * sum of the rows present / sqrt(number of rows present).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from math import exp, inf

import numpy as np
from numpy.typing import NDArray

from ivr.understanding.model import ANSWERS, CONTROLS, Question
from ivr.understanding.opinion_features import KnownFeatures

FILE = "opinion.npz"
FIELDS = ("alert", "answer", "event", "polarity", "time", "subject")
LEAST_P = 0.0001  # nothing is less likely: the model has not seen everything
NOTHING = "None"  # class of a slot when no event is spoken of


class Classes:
    """The columns of one field."""

    def __init__(self, names: list[str], start: int) -> None:
        self.names = names
        self.start = start
        self.end = start + len(names)
        self.at = {name: start + position for position, name in enumerate(names)}


class Opinion:
    """What the model thinks of one utterance, field by field.

    `scores` are logarithms of probabilities but for a constant of each field, which is worked out only where
    a probability is asked for. Some numbers are quicker
    in plain Python than in arrays.
    """

    def __init__(self, scores: list[float], fields: dict[str, Classes]) -> None:
        self._scores = scores
        self._fields = fields

    def p(self, field: str, name: str) -> float:
        classes = self._fields[field]
        at = classes.at.get(name)
        if at is None:
            return 0.0
        scores = self._scores[classes.start : classes.end]
        most = max(scores)
        whole = sum(map(exp, [score - most for score in scores]))
        return max(exp(self._scores[at] - most) / whole, LEAST_P)

    def likeliest(self, field: str, without: str | None = None) -> str:
        """The likeliest class of the field, or the likeliest but one class."""
        classes = self._fields[field]
        scores = self._scores[classes.start : classes.end]
        if without in classes.at:
            scores[classes.at[without] - classes.start] = -inf
        return classes.names[scores.index(max(scores))]


class Model:
    def __init__(self, raw: bytes) -> None:
        with np.load(BytesIO(raw), allow_pickle=False) as data:
            keys = data["keys"].tobytes().decode("utf-8").split("\n")
            self._known = KnownFeatures(keys)
            # Small whole numbers: some hundred rows are fetched an utterance, from all over the table.
            self._weights: NDArray[np.int8] = data["weights"]
            self._scale: NDArray[np.float32] = data["scale"]
            self._bias: NDArray[np.float32] = data["bias"]
            columns = json.loads(data["columns"].tobytes().decode("utf-8"))
        self._fields: dict[str, Classes] = {}
        for field in FIELDS:
            start = max((each.end for each in self._fields.values()), default=0)
            self._fields[field] = Classes(columns[field], start)
        self._possible = {question: self._mask(question) for question in Question}

    def _mask(self, question: Question) -> NDArray[np.float32]:
        """Minus infinity for answers that this question does not know."""
        answers = self._fields["answer"]
        mask = np.zeros(len(self._bias), dtype=np.float32)
        for name, at in answers.at.items():
            if name not in ANSWERS[question] | CONTROLS:
                mask[at] = -np.inf
        return mask + self._bias

    def opinion(self, normalised: str, question: Question, facts: Sequence[str] = ()) -> Opinion:
        """What the model thinks of one utterance, told what the rules read in it. Pure."""
        rows = self._known.rows(normalised, question, facts)
        total = self._weights.take(rows, axis=0).sum(axis=0, dtype=np.int32)
        scores = self._possible[question] + total * (self._scale / np.float32(max(1, len(rows)) ** 0.5))
        return Opinion(scores.tolist(), self._fields)


@cache
def shipped() -> Model:
    return Model(files("ivr.understanding").joinpath(FILE).read_bytes())
