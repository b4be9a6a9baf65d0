"""The rows whose labels are likely wrong, as a table and as a page."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.explanation.quoting import quoted
from classifier.files import spreadsheet_cell, write_text
from classifier.labels import SENTIMENTS
from classifier.modeling.pooling import POOLINGS, Pooling
from classifier.reports.templates import fold, template

ON_THE_PAGE = 100  # the table has all
_QUOTED = 200  # characters of a sentence


@dataclass(frozen=True)
class Said:
    """What a model that was not trained on the row says of it."""

    sentiment: str
    probability: float  # of that sentiment
    of_given: float  # the probability of the given one
    rating: int | None
    against: str | None  # what in the text speaks most against the label


@dataclass(frozen=True)
class Suspect:
    """A row whose label is likely wrong."""

    review_id: str
    film: str | None
    sentiment: str  # as given, as is the rating
    rating: int | None
    likely: str  # what both models and a linear one together say
    quality: float  # of the label, 0 to 1
    models: dict[Pooling, Said]
    text: str  # as the models saw it


_OF_ROW: dict[str, Callable[[Suspect], object]] = {
    "review_id": lambda row: row.review_id,
    "movie_name": lambda row: row.film,
    "given_sentiment": lambda row: row.sentiment,
    "given_rating": lambda row: row.rating,
    "likely_sentiment": lambda row: row.likely,
    "label_quality": lambda row: round(row.quality, 4),
}
_OF_MODEL: dict[str, Callable[[Said], object]] = {
    "sentiment": lambda said: said.sentiment,
    "probability": lambda said: round(said.probability, 4),
    "probability_of_given": lambda said: round(said.of_given, 4),
    "rating": lambda said: said.rating,
    "against": lambda said: said.against,
}
COLUMNS = (*_OF_ROW, *(f"{pooling}_{name}" for pooling in POOLINGS for name in _OF_MODEL), "text")


def write_table(file: Path, suspects: Sequence[Suspect]) -> None:
    """A CSV file, nothing of which a spreadsheet would run; ClassifierError as `write_text`."""
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(COLUMNS)
    for row in suspects:
        cells = [cell(row) for cell in _OF_ROW.values()]
        for pooling in POOLINGS:
            cells += [cell(row.models[pooling]) for cell in _OF_MODEL.values()]
        table.writerow(spreadsheet_cell(cell) for cell in [*cells, row.text])
    # With the mark by which spreadsheets recognise UTF-8.
    write_text(file, "\ufeff" + written.getvalue())


def write_page(file: Path, suspects: Sequence[Suspect], facts: dict[str, Any]) -> None:
    """One HTML file that needs nothing but itself; ClassifierError as `write_text`.

    `facts`: rows, accuracy by pooling, most_common (the share of the commonest label), encoder,
    reviews, folds and unlearnt (why not to trust it, or ""), all as `commands.audit` has them.
    """
    changes = [
        (given, likely, sum((s.sentiment, s.likely) == (given, likely) for s in suspects))
        for given in SENTIMENTS
        for likely in SENTIMENTS
    ]
    page = template(Path(__file__).with_name("audit.html.jinja")).render(
        facts=facts,
        suspects=[(place, one, fold(one.text)) for place, one in enumerate(suspects, start=1)][
            :ON_THE_PAGE
        ],
        count=len(suspects),
        changes=[change for change in changes if change[2]],
        quoted=lambda text: quoted(text, _QUOTED),
    )
    write_text(file, page)
