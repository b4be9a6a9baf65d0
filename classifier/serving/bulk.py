"""Predictions for a file of any size, written to a file: streamed, resumable, in constant memory.

A kill at any moment costs the current batch; the same call again continues after the last one.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.data.cleaning import Rejected, parse_review
from classifier.data.readers import Row, check_columns
from classifier.errors import ClassifierError
from classifier.files import explain_full_disk, spreadsheet_cell
from classifier.serving.bulk_source import UnreadableError, identity, read_batches
from classifier.serving.partial_file import PartialFile

if TYPE_CHECKING:  # these import torch, which takes seconds, and nothing here needs it
    from classifier.modeling.pooling import Pooling
    from classifier.serving.predictor import Prediction

    Predict = Callable[[list[str]], Sequence[Mapping[Pooling, Prediction]]]

_DIGITS = 4  # of a probability


@dataclass(frozen=True)
class BulkResult:
    """What became of the rows of a source."""

    predicted: int  # by this call
    resumed: int  # found in the partial file of an interrupted call, the rejected among them
    rejected: int  # those with an error in place of predictions, whichever call met them


def predict_file(
    predict: "Predict",
    source: Path,
    target: Path,
    *,
    version: str,
    on_progress: Callable[[int, int], None],
) -> BulkResult:
    """Predict every review of `source` into `target`, from where an interrupted call stopped.

    `source` is .jsonl, .csv or .parquet with a column `content` (and maybe `review_id`; others
    are ignored), or .txt with a review a line; each also .gz. `target` is .jsonl or .csv. It
    gets a row for each row of the source, in their order: with the predictions of both models,
    or with an `error` that says why there are none. `version` names the models.
    `on_progress(done, in_all)` is called after each batch with bytes of the source as stored, or
    with rows where that is a parquet.

    Where the source has changed since the interrupted call, or the version is another, what that
    call left is discarded, with a warning in the log.

    Raises ClassifierError where `target` exists, where `source` can't be read to its end, has no
    row or no column `content`, and where the disk is full. Rows predicted until then stay in the
    partial file, from which the next call continues.
    """
    job = {**identity(source), "version": version}
    header, as_text = _form_of(target)
    with explain_full_disk(target), PartialFile.open(target, job, header) as partial:
        resumed, rejected, seen = partial.rows, partial.rejected, 0
        try:
            with closing(read_batches(source, target.parent)) as found:
                for batch, done, in_all in found:
                    if not seen:
                        rows = [row[1] for row in batch if not isinstance(row, Rejected)]
                        check_columns(source, dict.fromkeys(chain(*rows)), ["content"])
                    lines = _predicted(batch[max(0, resumed - seen) :], predict)
                    if lines:
                        partial.append(as_text(lines), len(lines), sum("error" in x for x in lines))
                    seen += len(batch)
                    on_progress(done, in_all)
        except UnreadableError as fault:
            kept = f"; the {partial.rows} rows before that are kept in {partial.path}"
            raise ClassifierError(
                f"{source} can't be read any further: {fault}{kept * bool(partial.rows)}."
            ) from fault
        if not partial.rows:
            raise ClassifierError(f"{source} is empty: it has no rows.")
        partial.finish()
    predicted = partial.rows - resumed - (partial.rejected - rejected)
    return BulkResult(predicted, resumed, partial.rejected)


def _predicted(rows: Sequence[Row | Rejected], predict: "Predict") -> list[dict[str, Any]]:
    lines, contents = [], []
    for row in rows:
        line, content = _checked(row)
        lines.append(line)
        if content is not None:
            contents.append(content)
    sound = [line for line in lines if "error" not in line]
    answers = predict(contents) if contents else []
    for line, answer in zip(sound, answers, strict=True):
        line.update({pooling: _shown(prediction) for pooling, prediction in answer.items()})
    return lines


def _checked(row: Row | Rejected) -> tuple[dict[str, Any], str | None]:
    """A row of the target before its predictions, and the review to predict, None with an error."""
    if isinstance(row, Rejected):
        return {"row": row.row, "review_id": None, "error": row.reason}, None
    number, values = row
    review_id = values.get("review_id")
    line = {"row": number, "review_id": None if review_id is None else str(review_id)}
    # parse_review requires a grade, which is not used here.
    checked = {"content": values.get("content"), "review_id": review_id, "grade10": 0}
    try:
        return line, parse_review(number, checked).content
    except ValueError as error:
        return {**line, "error": str(error)}, None


def _shown(prediction: "Prediction") -> dict[str, Any]:
    sure = prediction.rating_confidence
    return {
        "sentiment": prediction.sentiment,
        "confidence": round(prediction.confidence, _DIGITS),
        "rating": prediction.rating,
        "rating_confidence": None if sure is None else round(sure, _DIGITS),
    }


_CSV_COLUMNS = [
    *("row", "review_id"),
    *("cls_sentiment", "cls_confidence", "cls_rating", "cls_rating_confidence"),
    *("mean_sentiment", "mean_confidence", "mean_rating", "mean_rating_confidence"),
    "error",
]


def _jsonl(lines: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _csv(lines: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV_COLUMNS, lineterminator="\n")
    for line in lines:
        cells: dict[str, Any] = {}
        for name, value in line.items():
            if isinstance(value, dict):
                cells.update({f"{name}_{figure}": cell for figure, cell in value.items()})
            else:
                cells[name] = spreadsheet_cell(value)
        writer.writerow(cells)
    return text.getvalue()


def _form_of(target: Path) -> tuple[str, Callable[[Iterable[Mapping[str, Any]]], str]]:
    """The target's first line, and what turns rows into text."""
    forms = {".jsonl": ("", _jsonl), ".csv": (",".join(_CSV_COLUMNS) + "\n", _csv)}
    if target.suffix.lower() not in forms:
        raise ClassifierError(f"{target} is not one of {', '.join(forms)}.")
    return forms[target.suffix.lower()]
