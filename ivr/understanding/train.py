"""Make `opinion.npz` from labelled utterances. Needs the extra `[train]` (scikit-learn).

    python -m ivr.understanding.train tests/corpus
    python -m ivr.understanding.train tests/corpus --without voices_i voices_o --out other.npz

A folder stands for its files that may be learned from. Where no rule was written from a file (UNSEEN_BY_RULES)
the model is also told what the rules read there, and learns how far each is to be trusted; where rules were
written from the sentences themselves they look better than they are, and are not told.

What is kept back is left out: what the model has learned from, it cannot be measured on. The same files give
the same weights. Run it after the corpus, the rules or `text.normalise` have changed (some minutes).
Limits of the vote are tried out on authors left out (--without), never on what is kept back.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags_array
from sklearn.linear_model import LogisticRegression

from ivr.understanding.corpus import KEPT_BACK, learnable
from ivr.understanding.lexicon import default_lexicon
from ivr.understanding.model import Question
from ivr.understanding.opinion import FIELDS, FILE
from ivr.understanding.opinion_features import ANSWERED, facts, features
from ivr.understanding.service import by_rules

UNSEEN_BY_RULES = tuple(f"voices_{author}.jsonl" for author in "fghijmopqrstuvw")
MIN_SENTENCES = 2  # a feature of one sentence is that sentence
REGULARISATION = 30.0  # C of logistic regression, by leaving authors out
MAX_ITERATIONS = 3000
TOLERANCE = 3e-4  # of the solver: at 2e-3 the leaving out of authors cost two points
INT8_MOST = 127


def matrix(rows: Sequence[Sequence[str]], keys: dict[str, int]) -> csr_matrix:
    pointers, columns, values = [0], [], []
    for row in rows:
        found = [keys[key] for key in row if key in keys]
        columns += found
        values += [1 / max(1, len(found)) ** 0.5] * len(found)
        pointers.append(len(columns))
    return csr_matrix((values, columns, pointers), shape=(len(rows), len(keys)))


def seen_in(row: dict[str, Any], *, tell_rules: bool) -> list[str]:
    question = Question(row["question"])
    ruled, heard, _ = by_rules(row["text"], question, default_lexicon())
    return features(heard, question) + (facts(ruled) if tell_rules and heard else [])


def train(files: Sequence[Path], out: Path) -> int:
    """Returns the number of sentences."""
    rows: list[dict[str, Any]] = []
    seen: list[list[str]] = []
    for path in files:
        new = read(path)
        rows += new
        seen += [seen_in(row, tell_rules=path.name in UNSEEN_BY_RULES) for row in new]
    counts = Counter(key for row in seen for key in set(row))
    keys = {key: at for at, key in enumerate(sorted(key for key, n in counts.items() if n >= MIN_SENTENCES))}
    everything = matrix(seen, keys)
    only_answer = np.array([key.startswith(ANSWERED) for key in keys])
    without = everything @ diags_array((~only_answer).astype(float))
    columns: dict[str, list[str]] = {}
    weights, biases = [], []
    for field in FIELDS:
        labels = np.array([str(row[field]) for row in rows])
        balance = "balanced" if field == "alert" else None
        fitted = LogisticRegression(
            C=REGULARISATION, max_iter=MAX_ITERATIONS, tol=TOLERANCE, class_weight=balance
        )
        fitted.fit(everything if field == "answer" else without, labels)
        columns[field] = [str(name) for name in fitted.classes_]
        weights.append(fitted.coef_.T)
        biases.append(fitted.intercept_)
    whole = np.concatenate(weights, axis=1)
    scale = np.abs(whole).max(axis=0) / INT8_MOST
    np.savez_compressed(
        out,
        keys=np.frombuffer("\n".join(keys).encode("utf-8"), dtype=np.uint8),
        weights=np.round(whole / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=np.concatenate(biases).astype(np.float32),
        columns=np.frombuffer(json.dumps(columns).encode("utf-8"), dtype=np.uint8),
    )
    return len(rows)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files named, and of a folder those that may be learned from."""
    found: list[Path] = []
    for path in paths:
        inside = learnable(path) if path.is_dir() else [path]
        found += [file for file in inside if not file.name.startswith(KEPT_BACK)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("--without", nargs="+", default=[], metavar="FILE", help="names without .jsonl")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name(FILE))
    args = parser.parse_args()
    count = train([file for file in files_of(args.corpus) if file.stem not in args.without], args.out)
    print(f"{args.out}: from {count} sentences, {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
