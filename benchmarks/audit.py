"""`audit`: of labels that were made wrong on purpose, how many `python -m classifier audit` finds.

Planted errors stand beside those that the reviews have anyway, which count as wrong finds here: the
precision is a lower bound.
"""

import csv
import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks import rows
from benchmarks.processes import run
from classifier.data.reviews import load_reviews
from classifier.files import write_text
from classifier.labels import SENTIMENTS

FIRST = (20, 50, 100, 200)
"""Rows of the audit's list, the worst first, among which planted errors are counted."""


@dataclass(frozen=True)
class Plan:
    reviews: str  # a source
    rows: int
    share: float  # of them whose labels are made wrong
    encoder: str
    cache: Path
    work: Path  # where an interrupted run goes on


def measure(plan: Plan) -> dict[str, Any]:
    """Plant errors, run the audit as a process, and count what it found."""
    reviews = load_reviews(plan.reviews)
    chosen = rows.subset(reviews.rows, plan.rows)
    planted = sorted(to_plant(len(chosen), plan.share))
    plan.work.mkdir(parents=True, exist_ok=True)
    file, out = plan.work / "planted.jsonl", plan.work / "audit"
    write_text(file, with_errors(chosen, planted))
    ended = run(
        *("-m", "classifier", "audit", "--reviews", str(file), "--out", str(out)),
        *("--encoder", plan.encoder, "--cache", str(plan.cache)),
        show_output=True,  # it takes minutes
    )
    with (out / "audit.csv").open(encoding="utf-8-sig", newline="") as opened:
        found = [int(row["review_id"]) for row in csv.DictReader(opened)]
    return {
        "rows": rows.described(reviews, chosen),
        "planted": len(planted),
        "found": len(found),
        "seconds": ended.seconds,
        **figures(found, planted),
    }


def figures(found: list[int], planted: list[int]) -> dict[str, Any]:
    """The share of planted rows among the first found, and of found ones among the planted."""
    wrong = set(planted)
    precision = {
        str(first): sum(row in wrong for row in found[:first]) / first
        for first in FIRST
        if len(found) >= first
    }
    return {"precision": precision, "recall": len(wrong & set(found)) / len(wrong)}


def sentence(found: dict[str, Any]) -> str:
    """The figures in words."""
    shares = found["rows"]["shares"]
    precision = ", ".join(f"{p:.2f} of the first {n}" for n, p in found["precision"].items())
    return (
        f"Of {found['rows']['rows']:,} labels ({max(shares, key=shares.__getitem__)} "
        f"{max(shares.values()):.1%}) {found['planted']:,} were made wrong. Planted errors among "
        f"the {found['found']:,} that the audit lists: {precision or 'fewer than are counted'}. "
        f"Of the planted ones it lists {found['recall']:.0%}. It took {found['seconds']:,.0f} s."
    )


def to_plant(count: int, share: float) -> list[int]:
    return random.Random(0).sample(range(count), round(share * count))


def with_errors(chosen: Dataset, planted: list[int]) -> str:
    """JSON lines of the rows with their numbers as ids.

    A planted error is one of the other sentiments, with a rating that some review of it has: the
    two grades of a row agree, as in an error that a person makes.
    """
    chance, wrong = random.Random(1), set(planted)
    rated = Counter(zip(chosen["sentiment"], chosen["rating"], strict=True))
    lines = []
    for number, row in enumerate(chosen):
        sentiment, rating = row["sentiment"], row["rating"]
        if number in wrong:
            others = [kind for kind in range(len(SENTIMENTS)) if kind != sentiment]
            sentiment = chance.choice(others)
            pool = [r for (kind, r), n in rated.items() if kind == sentiment and r is not None]
            counts = [rated[sentiment, r] for r in pool]
            if rating is not None:
                rating = chance.choices(pool, counts)[0] if pool else None
        line = {
            "review_id": str(number),
            "movie_name": row["movie_name"],
            "content": row["content"],
            "grade3": SENTIMENTS[sentiment],
            "grade10": rating,
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)
