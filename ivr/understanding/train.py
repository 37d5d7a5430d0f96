"""Make `opinion.npz` from labelled utterances. Needs the extra `[train]` (scikit-learn).

    python -m ivr.understanding.train tests/corpus/train.jsonl tests/corpus/dev.jsonl ...

Never give it the held-out half: what it has learned from, it cannot be measured on. The same files
give the same weights. Run it after the corpus or `text.normalise` has changed.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from ivr.understanding.lexicon import default_lexicon
from ivr.understanding.model import Question
from ivr.understanding.opinion import FIELDS, FILE
from ivr.understanding.opinion_features import features
from ivr.understanding.service import by_rules

MIN_SENTENCES = 2  # a feature of one sentence is that sentence
REGULARISATION = 30.0  # C of logistic regression, by the held-in half of five-fold cross-validation
MAX_ITERATIONS = 3000
INT8_MOST = 127


def matrix(rows: Sequence[Sequence[str]], keys: dict[str, int]) -> csr_matrix:
    pointers, columns, values = [0], [], []
    for row in rows:
        found = [keys[key] for key in row if key in keys]
        columns += found
        values += [1 / max(1, len(found)) ** 0.5] * len(found)
        pointers.append(len(columns))
    return csr_matrix((values, columns, pointers), shape=(len(rows), len(keys)))


def train(rows: Sequence[dict[str, Any]], out: Path) -> None:
    lexicon = default_lexicon()
    asked = [Question(row["question"]) for row in rows]
    heard = [by_rules(row["text"], question, lexicon)[1] for row, question in zip(rows, asked, strict=True)]
    seen = [features(text, question) for text, question in zip(heard, asked, strict=True)]
    counts = Counter(key for row in seen for key in set(row))
    keys = {key: at for at, key in enumerate(sorted(key for key, n in counts.items() if n >= MIN_SENTENCES))}
    inputs = matrix(seen, keys)
    columns: dict[str, list[str]] = {}
    weights, biases = [], []
    for field in FIELDS:
        labels = np.array([str(row[field]) for row in rows])
        balance = "balanced" if field == "alert" else None
        fitted = LogisticRegression(C=REGULARISATION, max_iter=MAX_ITERATIONS, class_weight=balance)
        fitted.fit(inputs, labels)
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


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    return [
        json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines() if line.strip()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name(FILE))
    args = parser.parse_args()
    rows = read(args.corpus)
    train(rows, args.out)
    print(f"{args.out}: from {len(rows)} sentences, {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
