"""Where a version's rows came from: the file that judged it, and what it was trained on."""

from dataclasses import asdict

from datasets import Dataset

from classifier.data.reviews import Reviews, load_reviews, text_digest
from classifier.data.schema import OURS, Schema
from classifier.data.splits import restore_split
from classifier.errors import ClassifierError
from classifier.registry.version import UNPUBLISHED, Version


def schema_of(version: Version) -> Schema:
    """How the version's files of reviews are read."""
    # Versions of before this was asked took all ratings for ratings of 10.
    return Schema(**version.training().get("schema", asdict(OURS)))


def source_of(version: Version) -> str:
    """What the reviews it was trained from are loaded from; ClassifierError if they aren't here."""
    return _here(version, version.training()["reviews"]["source"])


def knows_its_reviews(version: Version) -> bool:
    """Whether `learnt_by` can tell."""
    return bool(version.training()["reviews"]["source"] != UNPUBLISHED)


def _here(version: Version, source: str) -> str:
    if source == UNPUBLISHED:
        raise ClassifierError(
            f"{version.name} came from the hub without its reviews, which only the one who trained "
            "it has: train a version with yours first."
        )
    return source


def holdout_of(version: Version) -> Reviews | None:
    """What judged a version, None if a tenth of its reviews; ClassifierError if lost or changed."""
    training = version.training()
    record = training.get("holdout")
    if record is None:
        return None
    source = _here(version, record["source"])
    try:
        holdout = load_reviews(
            source, keep_ratings=training["keep_ratings"], schema=schema_of(version)
        )
    except ClassifierError as error:
        raise ClassifierError(
            f"The reviews that {version.name} was judged by can't be had: {error}"
        ) from error
    if holdout.fingerprint != record["fingerprint"]:
        raise ClassifierError(
            f"{source} has changed since {version.name} was judged by it: its fingerprint is "
            f"{holdout.fingerprint[:12]}, not {record['fingerprint'][:12]}."
        )
    return holdout


def holdout_rows(version: Version) -> Dataset:
    """The reviews that judged a version, as `Reviews.rows` has them; ClassifierError if lost."""
    holdout = holdout_of(version)
    if holdout is not None:
        return holdout.rows
    training = version.training()
    try:
        source, keep_ratings = source_of(version), training["keep_ratings"]
    except KeyError as error:
        raise ClassifierError(
            f"{version.path / 'training.json'} does not say what it was trained on: no {error}."
        ) from error
    reviews = load_reviews(source, keep_ratings=keep_ratings, schema=schema_of(version))
    return restore_split(reviews.rows, version.split()).holdout


def learnt_by(version: Version, rows: Dataset) -> list[bool]:
    """Of each row, whether the version was trained or validated on it, as far as ids tell."""
    split = version.split()
    ids = {*split["train"], *split["validation"]}
    held_out: dict[str, str] = version.training().get("holdout", {}).get("same_ids", {})
    return [
        review_id in ids and held_out.get(review_id) != text_digest(content)
        for review_id, content in zip(rows["review_id"], rows["content"], strict=True)
    ]
