"""The second opinion (第二意见): a linear model over n-grams, beside the rules.

The rules know the forms of Chinese that somebody wrote down; the model has seen some thousand
labelled sentences and weighs the words that nobody wrote down. Neither sees what the other sees,
so `fusion` lets them vote. Weights are data (`opinion.npz`), made by `python -m
ivr.understanding.train` from the corpus halves that may be learned from; nothing is learned in
service.

Shapes: `weights` int8 (features, columns), one column a class; `scale`, `bias` float32 (columns).
Score of a column = bias + scale * sum of the rows present / sqrt(number of rows present).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from ivr.understanding.model import ANSWERS, CONTROLS, Question
from ivr.understanding.opinion_features import features

FILE = "opinion.npz"
FIELDS = ("alert", "answer", "event", "polarity", "time", "subject")
LOG_FLOOR = -9.2  # log of 0.0001: nothing is less likely, the model has not seen everything
NOTHING = "None"  # class of a slot when no event is spoken of


class Classes:
    """The columns of one field."""

    def __init__(self, names: list[str], start: int) -> None:
        self.names = names
        self.start = start
        self.end = start + len(names)
        self.at = {name: start + position for position, name in enumerate(names)}


class Opinion:
    """What the model thinks of one utterance: logarithms of probabilities, field by field."""

    def __init__(self, log_p: NDArray[np.float32], fields: dict[str, Classes]) -> None:
        self._log_p = log_p
        self._fields = fields

    def p(self, field: str, name: str) -> float:
        at = self._fields[field].at.get(name)
        return 0.0 if at is None else float(np.exp(self._log_p[at]))

    def vote(self, field: str, chosen: str | None, bonus: float) -> str:
        """The likeliest class once `chosen` has its bonus (None: nobody has)."""
        classes = self._fields[field]
        at = None if chosen is None else classes.at.get(chosen)
        scores = self._log_p[classes.start : classes.end]
        best = int(scores.argmax())
        if at is None or classes.start + best == at or scores[best] > self._log_p[at] + bonus:
            return classes.names[best]
        return classes.names[at - classes.start]

    def likeliest(self, field: str, without: str) -> str:
        classes = self._fields[field]
        scores = self._log_p[classes.start : classes.end].copy()
        if without in classes.at:
            scores[classes.at[without] - classes.start] = -np.inf
        return classes.names[int(scores.argmax())]


class Model:
    def __init__(self, raw: bytes) -> None:
        with np.load(BytesIO(raw), allow_pickle=False) as data:
            keys = data["keys"].tobytes().decode("utf-8").split("\n")
            self._rows = {key: row for row, key in enumerate(keys)}
            # Whole numbers on disk for size, scaled floats in memory for speed.
            self._weights: NDArray[np.float32] = data["weights"] * data["scale"]
            self._bias: NDArray[np.float32] = data["bias"]
            columns = json.loads(data["columns"].tobytes().decode("utf-8"))
        self._fields: dict[str, Classes] = {}
        for field in FIELDS:
            start = max((each.end for each in self._fields.values()), default=0)
            self._fields[field] = Classes(columns[field], start)
        self._starts = np.array([each.start for each in self._fields.values()])
        sizes = [len(each.names) for each in self._fields.values()]
        self._field_of = np.repeat(np.arange(len(sizes)), sizes)  # column -> number of its field
        self._possible = {question: self._mask(question) for question in Question}

    def _mask(self, question: Question) -> NDArray[np.float32]:
        """Minus infinity for answers that this question does not know."""
        answers = self._fields["answer"]
        mask = np.zeros(len(self._bias), dtype=np.float32)
        for name, at in answers.at.items():
            if name not in ANSWERS[question] | CONTROLS:
                mask[at] = -np.inf
        return mask + self._bias

    def opinion(self, normalised: str, question: Question) -> Opinion:
        """What the model thinks of one utterance. Pure."""
        known = self._rows
        found = map(known.get, features(normalised, question))
        rows = [row for row in found if row is not None]
        total = self._weights.take(rows, axis=0).sum(axis=0)
        scores = self._possible[question] + total / np.float32(max(1, len(rows)) ** 0.5)
        scores -= np.maximum.reduceat(scores, self._starts).take(self._field_of)
        scores -= np.log(np.add.reduceat(np.exp(scores), self._starts)).take(self._field_of)
        return Opinion(np.maximum(scores, LOG_FLOOR, out=scores), self._fields)


@cache
def shipped() -> Model:
    return Model(files("ivr.understanding").joinpath(FILE).read_bytes())
