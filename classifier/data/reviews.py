"""The usable reviews of a source (the hub, a local file, the bundled sample) as one Dataset."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from datasets import Dataset, DatasetInfo, Features, Value

from classifier.data.cleaning import (
    ONLY_RATINGS,
    Review,
    has_letters,
    parse_review,
    settle_zero_ratings,
)
from classifier.data.csv_rows import Row
from classifier.data.duplicates import exact_duplicates, near_duplicates
from classifier.data.grades import Grades, Rejected
from classifier.data.hub import hub_unreachable
from classifier.data.hub_reviews import REPOSITORY, hub_file
from classifier.data.readers import read_rows
from classifier.data.schema import DEFAULT, OURS, Schema
from classifier.data.written_ratings import strip_ratings
from classifier.errors import ClassifierError
from classifier.files import write_text
from classifier.labels import SENTIMENTS

_FEATURES = Features(
    {
        "review_id": Value("string"),
        "movie_name": Value("string"),
        "content": Value("string"),
        "text": Value("string"),
        "sentiment": Value("int64"),
        "rating": Value("int64"),
        "weight": Value("float64"),
        "person": Value("string"),
    }
)


@dataclass(frozen=True)
class Reviews:
    """The usable reviews of a source, and why the others were left out.

    `rows` has the columns review_id (unique), movie_name (or None), content (as written), text
    (what models see), sentiment (an index of SENTIMENTS), rating (0-10 or None), weight (1 where
    the source has none) and person (who rated it, or None).
    `counts`: read = rejected + exact_duplicates + near_duplicates + kept; ratings_stripped is
    how many of the kept ones have another text than content; zero_ratings_dropped, and
    unused_grades.
    """

    rows: Dataset
    source: str  # "hub", "sample" or the path
    reason: str  # one line: which source was taken, and why
    fingerprint: str  # sha256 of the kept rows' content, sentiment, rating, weight and person
    rejected: list[Rejected]
    unused: list[Rejected]  # grades that can't be used, of rows that are kept for the other grade
    counts: dict[str, int]


def load_reviews(
    source: str,
    *,
    rejects_path: Path | None = None,
    keep_ratings: bool = False,
    schema: Schema = DEFAULT,
) -> Reviews:
    """Reviews from `hub`, `sample`, a file (.jsonl, .csv, .parquet, each also .gz), or `auto`.

    `auto` is the hub, else its local cache, else the bundled sample. Rows that can't be used
    are left out and listed in `rejects_path` as JSON lines. `keep_ratings` leaves written ratings
    in `text`; the same rows are kept with it and without, so that the two can be compared.
    `schema` says how files are read; hub and sample have our own columns and grades.

    Raises ClassifierError for a source that can't be read as a whole or has no usable row, whose
    grades are on another scale than `schema` says, or one of whose classes is lost.
    """
    found = _find(source, schema)
    grades = Grades(found.name, found.schema)
    reviews, rejected = _parse(found, grades)
    read = len(reviews) + len(rejected)
    reviews, unlabelled, zeros = settle_zero_ratings(reviews)
    texts = [strip_ratings(review.content) for review in reviews]
    blank = np.array([not has_letters(text) for text in texts], dtype=bool)
    rejected += unlabelled
    rejected += [Rejected(reviews[i].row, ONLY_RATINGS) for i in np.flatnonzero(blank)]
    rejected.sort(key=lambda reject: reject.row)
    if rejects_path is not None:
        _write_rejects(rejects_path, rejected)

    grades.check()
    usable = np.flatnonzero(~blank)
    if not usable.size:
        if not read:
            raise ClassifierError(f"{found.name} is empty: it has no rows.")
        first = f"row {rejected[0].row}, the first: {rejected[0].reason}"
        raise ClassifierError(f"{found.name} has no usable row of {read}; {first}.")
    exact = exact_duplicates([reviews[i].content for i in usable])
    distinct = usable[~exact]
    near = near_duplicates([reviews[i].content for i in distinct])
    kept = [reviews[i] for i in distinct[~near]]
    contents = [review.content for review in kept]
    texts = contents if keep_ratings else [texts[i] for i in distinct[~near]]
    grades.check_kept({review.sentiment for review in kept})
    fingerprint = _fingerprint(kept)
    return Reviews(
        rows=_dataset(found.name, kept, texts, f"{fingerprint[:32]}{int(keep_ratings)}"),
        source=found.taken,
        reason=found.reason,
        fingerprint=fingerprint,
        rejected=rejected,
        unused=grades.unused,
        counts={
            "read": read,
            "rejected": len(rejected),
            "exact_duplicates": int(exact.sum()),
            "near_duplicates": int(near.sum()),
            "kept": len(kept),
            "ratings_stripped": sum(map(str.__ne__, contents, texts)),
            "zero_ratings_dropped": zeros,
            "unused_grades": len(grades.unused),
        },
    )


def class_counts(rows: Dataset) -> dict[str, int]:
    """How many rows there are, of each sentiment, and with a rating (`rated`)."""
    sentiments = Counter(rows["sentiment"])
    return {
        "rows": len(rows),
        **{name: sentiments[index] for index, name in enumerate(SENTIMENTS)},
        "rated": sum(rating is not None for rating in rows["rating"]),
    }


def text_digest(content: str) -> str:
    """12 hex digits of the content's sha256."""
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class _Source:
    taken: str  # Reviews.source
    name: str  # as error messages call it
    reason: str
    rows: Iterable[Row | Rejected]  # not yet read
    schema: Schema = OURS


def _find(source: str, schema: Schema) -> _Source:
    if source == "sample":
        return _sample("the bundled sample, as asked for")
    if source not in ("hub", "auto"):
        path = Path(source)
        rows = read_rows(path, schema.theirs)
        return _Source(source, source, f"the file {path.name}", rows, schema)
    why_not = hub_unreachable()
    if why_not is None:
        try:
            return _hub(hub_file(from_cache=False), f"{REPOSITORY} from the hub")
        except ClassifierError as error:
            why_not = str(error)
    try:
        file = hub_file(from_cache=True)
        return _hub(file, f"{REPOSITORY} from the hub's local cache: {why_not}")
    except ClassifierError:
        why_not += f" and {REPOSITORY} is not in the local cache"
    if source == "hub":
        raise ClassifierError(f"No reviews from the hub: {why_not}.")
    return _sample(f"the bundled sample: {why_not}")


def _hub(file: Path, reason: str) -> _Source:
    return _Source("hub", REPOSITORY, reason, read_rows(file, OURS.theirs))


def _sample(reason: str) -> _Source:
    file = Path(__file__).with_name("sample") / "reviews.jsonl"
    return _Source("sample", "the bundled sample", reason, read_rows(file, OURS.theirs))


def _parse(source: _Source, grades: Grades) -> tuple[list[Review], list[Rejected]]:
    reviews: list[Review] = []
    rejected: list[Rejected] = []
    columns: dict[str, None] = {}  # a set that keeps their order
    for row in source.rows:
        if isinstance(row, Rejected):
            rejected.append(row)
            continue
        number, values = row
        columns.update(dict.fromkeys(values))
        try:
            reviews.append(parse_review(number, source.schema.ours(values), grades))
        except ValueError as error:
            rejected.append(Rejected(number, str(error)))
    source.schema.check_columns(source.name, columns, ["content"], ["grade3", "grade10"])
    return reviews, rejected


def _write_rejects(path: Path, rejected: Sequence[Rejected]) -> None:
    """One JSON object a line; where nothing was rejected, an earlier file is removed."""
    if rejected:
        lines = (json.dumps(asdict(reject), ensure_ascii=False) for reject in rejected)
        write_text(path, "\n".join(lines) + "\n")
    else:
        path.unlink(missing_ok=True)


def _dataset(
    name: str, reviews: Sequence[Review], texts: Sequence[str], fingerprint: str
) -> Dataset:
    columns = {
        "review_id": _unique_ids(reviews),
        "movie_name": [review.movie_name for review in reviews],
        "content": [review.content for review in reviews],
        "text": texts,
        "sentiment": [review.sentiment for review in reviews],
        "rating": [review.rating for review in reviews],
        "weight": [review.weight for review in reviews],
        "person": [review.person for review in reviews],
    }
    # The name is stored with the rows, for errors about them.
    info = DatasetInfo(description=name, features=_FEATURES)
    # Without a fingerprint Dataset computes one from a pickled copy of the whole table.
    table = pa.table(columns, schema=_FEATURES.arrow_schema)
    return Dataset(table, info=info, fingerprint=fingerprint)


def _unique_ids(reviews: Sequence[Review]) -> list[str]:
    """The source's id, else the content's digest; a repeated one gets -2, -3…"""
    ids: list[str] = []
    taken: set[str] = set()
    times: Counter[str] = Counter()
    for review in reviews:
        first = review.review_id or text_digest(review.content)
        unique = first
        while unique in taken:
            times[first] += 1
            unique = f"{first}-{times[first] + 1}"
        taken.add(unique)
        ids.append(unique)
    return ids


def _fingerprint(reviews: Iterable[Review]) -> str:
    digest = hashlib.sha256()
    for review in reviews:
        values: list[object] = [review.content, review.sentiment, review.rating]
        values += [review.weight] * (review.weight != 1)
        values += [review.person] * (review.person is not None)
        digest.update(json.dumps(values).encode())
    return digest.hexdigest()
