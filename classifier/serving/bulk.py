"""Predictions for a file of any size, written to a file: streamed, resumable, in constant memory.

A kill at any moment costs the current batch; the same call again continues after the last one.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.data.cleaning import ONLY_RATINGS, checked_content
from classifier.data.csv_rows import Row
from classifier.data.grades import Rejected
from classifier.data.readers import extension
from classifier.data.schema import DEFAULT, Schema
from classifier.errors import ClassifierError
from classifier.files import explain_full_disk
from classifier.serving.bulk_source import (
    Source,
    UnreadableError,
    identity,
    is_pipe,
    open_source,
)
from classifier.serving.bulk_target import check_target, json_line, kept_name, write_target
from classifier.serving.partial_file import PartialFile, Stream

if TYPE_CHECKING:  # these import torch, which takes seconds, and nothing here needs it
    from classifier.modeling.pooling import Pooling
    from classifier.serving.predictor import Prediction

    # None for a text of which nothing is left without the ratings written in it
    Predict = Callable[[list[str]], Sequence[Mapping[Pooling, Prediction] | None]]

_DIGITS = 4  # of a probability


@dataclass(frozen=True)
class BulkResult:
    """What became of the rows of a source."""

    predicted: int  # by this call
    resumed: int  # found in the partial file of an interrupted call, the rejected among them
    rejected: int  # those with an error in place of predictions, whichever call met them
    renamed: tuple[str, ...] = ()  # columns of the source that are called as ours are


def predict_file(
    predict: "Predict",
    source: Path,
    target: Path,
    *,
    version: str,
    on_progress: Callable[[int, int | None], None],
    schema: Schema = DEFAULT,
) -> BulkResult:
    """Predict every review of `source` into `target`, from where an interrupted call stopped.

    `source` is .jsonl, .csv or .parquet with a column `content`, or what `schema` calls it, or
    .txt with a review a line; each also .gz; or a pipe, or `-`, of one of these kinds. `target` is
    .jsonl, .csv or .parquet, each also .gz; or a pipe, or `-`, which gets JSON lines. It gets a row
    for each row of the source, in their order, with all columns of the source: with the
    predictions of both models, or with an `error` that says why there are none. `version` names
    the models. `on_progress(done, in_all)` is called after each batch with bytes of the source as
    stored, or with rows where that is a parquet; of a pipe nobody knows how much there is in all.

    Where the source has changed since the interrupted call, or the version is another, what that
    call left is discarded, with a warning in the log. From or into a pipe nothing is continued.

    Raises ClassifierError where `target` exists, where `source` can't be read to its end, has no
    row or no column `content`, and where the disk is full. Rows predicted until then stay in the
    partial file, from which the next call continues.
    """
    job = {**identity(source), "version": version, "columns": schema.columns}
    into_pipe = is_pipe(target)
    check_target(target, pipe=into_pipe)
    work = _Work(predict, source, target, schema, on_progress)
    with explain_full_disk(target), ExitStack() as opened:
        out: PartialFile | Stream
        if into_pipe:
            out = opened.enter_context(Stream.open(target))
        else:
            out = opened.enter_context(PartialFile.open(target, job))
        resumed, rejected = out.rows, out.rejected
        try:
            work.run(out)
        except UnreadableError as fault:
            kept = f"; the {out.rows} rows before that are kept in {getattr(out, 'path', target)}"
            raise ClassifierError(
                f"{source} can't be read any further: {fault}{kept * bool(out.rows)}."
            ) from fault
    predicted = out.rows - resumed - (out.rejected - rejected)
    return BulkResult(predicted, resumed, out.rejected, tuple(sorted(work.renamed)))


class _Work:
    """One call's way from the source to the target."""

    def __init__(
        self,
        predict: "Predict",
        source: Path,
        target: Path,
        schema: Schema,
        on_progress: Callable[[int, int | None], None],
    ) -> None:
        self.renamed: set[str] = set()
        self._predict = predict
        self._source = source
        self._target = target
        self._content = schema.column("content")
        self._schema = schema
        self._on_progress = on_progress

    def run(self, out: PartialFile | Stream) -> None:
        # A parquet's columns go to a parquet as they are, and past what Python makes of them.
        to_parquet = extension(self._target) == ".parquet"
        wanted = [self._content] if to_parquet else []
        folder = Path() if isinstance(out, Stream) else self._target.parent
        with open_source(self._source, self._content, wanted, folder) as source:
            self._predict_all(source, out)
            if not out.rows:
                raise ClassifierError(f"{self._source} is empty: it has no rows.")
            if isinstance(out, PartialFile):
                as_it_is = self._target.suffix.lower() == ".jsonl"
                self.renamed |= {
                    name
                    for name in (source.table.schema_arrow.names if source.table else ())
                    if kept_name(name) != name
                }
                out.finish(
                    None
                    if as_it_is
                    else lambda rows, to: write_target(rows, source.table, self._target, to)
                )

    def _predict_all(self, source: Source, out: PartialFile | Stream) -> None:
        before, seen = out.rows, 0
        copied = source.table is not None and extension(self._target) == ".parquet"
        with closing(source.batches()) as batches:
            for batch, done, in_all in batches:
                if not seen:
                    rows = [row[1] for row in batch if not isinstance(row, Rejected)]
                    found = dict.fromkeys(chain(*rows))
                    self._schema.check_columns(self._source, found, ["content"])
                lines = self._predicted(batch[max(0, before - seen) :], keep=not copied)
                if lines:
                    text = "".join(map(json_line, lines))
                    out.append(text, len(lines), sum("error" in line for line in lines))
                seen += len(batch)
                self._on_progress(done, in_all)

    def _predicted(self, rows: Sequence[Row | Rejected], *, keep: bool) -> list[dict[str, Any]]:
        lines, contents = [], []
        for row in rows:
            line, content = self._checked(row, keep=keep)
            lines.append(line)
            if content is not None:
                contents.append(content)
        sound = [line for line in lines if "error" not in line]
        answers = self._predict(contents) if contents else []
        for line, answer in zip(sound, answers, strict=True):
            if answer is None:
                line["error"] = ONLY_RATINGS
            else:
                line.update({pooling: _shown(given) for pooling, given in answer.items()})
        return lines

    def _checked(self, row: Row | Rejected, *, keep: bool) -> tuple[dict[str, Any], str | None]:
        """A row of the target before its predictions, and the review, None with an error."""
        if isinstance(row, Rejected):
            return {"row": row.row, "error": row.reason}, None
        number, values = row
        line: dict[str, Any] = {"row": number}
        if keep:
            line |= {kept_name(name): value for name, value in values.items()}
            self.renamed |= {name for name in values if kept_name(name) != name}
        try:
            return line, checked_content(values.get(self._content))
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
