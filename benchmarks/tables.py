"""README's tables, generated from the committed results between two markers."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.show import adapted, number, percent, spread, times
from classifier.errors import ClassifierError

BEGIN = "<!-- python -m benchmarks tables: from here on it is generated -->"
END = "<!-- up to here -->"

Document = dict[str, Any]


def with_tables(readme: str, results: Path) -> str:
    """The README's text with its tables made anew; ClassifierError where a marker is missing."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ClassifierError(f"The README has no line {BEGIN if not begin else END}")
    sections = [_section(name, make, results) for name, make in _TABLES.items()]
    return before + "\n\n".join([BEGIN, *sections, END]) + after


def _section(name: str, make: Callable[[Document], str], results: Path) -> str:
    file = results / f"{name}.json"
    if not file.exists():
        return f"Not measured yet: `python -m benchmarks {name}`."
    return make(json.loads(file.read_bytes()))


def _training(document: Document) -> str:
    found = document["summary"]
    notebook = found["arms"].get("notebook", {}).get("reviews_per_second")
    lines = [
        [
            name,
            number(arm["reviews_per_second"], 1),
            times(arm["reviews_per_second"] / notebook) if notebook else number(None),
            percent(arm.get("share_of_gemm")),
            number(arm["peak_mb"]),
        ]
        for name, arm in found["arms"].items()
        if arm["reviews_per_second"] is not None
    ]
    told = document["rows"]
    caption = (
        f"Training, reviews a second and pooling (`{document['command']}`; {told['rows']:,} "
        f"reviews, {told['median_characters']:,} characters in the median; {_machine(document)}). "
        f"Both poolings of ours{adapted(found)}: "
        f"{times(found['ours_to_notebook'])} the notebook's recipe, "
        f"{times(found['ours_to_trainer'])} `transformers.Trainer` at its best. TF-IDF and "
        f"logistic regression fit all of them in "
        f"{number(found['arms'].get('TF-IDF', {}).get('fit_seconds'), 1)} s. The share of the "
        "GEMM counts CLS pooling's last layer in full, of which ours computes one token."
    )
    columns = ["", "reviews/s", "to the notebook", f"of {_arithmetic(document)} GEMM", "peak MB"]
    return caption + "\n\n" + _table(columns, lines)


def _serving(document: Document) -> str:
    found = document["summary"]
    lines = [
        [
            name,
            number(arm["p50_ms"], 1),
            number(arm["p95_ms"], 1),
            number(arm["reviews_per_second"], 1),
            " / ".join(f"{100 * value:.1f} %" for value in arm["accuracy"].values()),
        ]
        for name, arm in found["arms"].items()
    ]
    told = document["rows"]
    caption = (
        f"Answers of both models (`{document['command']}`; {told['rows']:,} reviews of "
        f"{told['median_characters']:,} characters in the median, {_machine(document)}). Cold "
        f"start of `predict`: {number(found['cold_start_seconds'], 1)} s. The bot holds "
        f"{number(found['bot_resident_mb'])} MB."
    )
    if told["trained_on"]:
        caption += f" {told['trained_on']:,} of the reviews were trained on."
    columns = ["", "one review, p50 ms", "p95 ms", "reviews/s at once", "accuracy (CLS / mean)"]
    return caption + "\n\n" + _table(columns, lines)


def _quality(document: Document) -> str:
    lines = [
        [
            name,
            spread(arm["accuracy"], 1, as_percent=True),
            spread(arm["macro_f1"], 3),
            spread(arm["rating_mae"], 2),
            number(arm["train_seconds"]["low"] if arm["train_seconds"] else None),
        ]
        for name, arm in document["summary"]["arms"].items()
    ]
    told, settings = document["rows"], document["settings"]
    test = settings["test"]
    where = test if isinstance(test, str) else f"{test['rows']:,} others"
    caption = (
        f"Figures on held-out reviews, mean and range over {settings['seeds']} seeds "
        f"(`{document['command']}`; {told['rows']:,} reviews to learn from, judged on {where}, "
        f"written ratings stripped; encoder: {settings['encoder']})."
    )
    columns = ["", "accuracy", "macro F1", "rating MAE", "seconds to train, at best"]
    return caption + "\n\n" + _table(columns, lines)


_TABLES = {"training": _training, "serving": _serving, "quality": _quality}


def _machine(document: Document) -> str:
    machine = document["machine"]
    where = machine["cpu"] if machine["device"] == "cpu" else machine["device"]
    return f"{machine['cores']} cores of {where}, {machine['arithmetic']}"


def _arithmetic(document: Document) -> str:
    return str(document["machine"]["arithmetic"])


def _table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [columns, rule, *lines])
