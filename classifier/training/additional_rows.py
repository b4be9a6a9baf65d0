"""Reviews to train on besides those of the source: what people said of a model's answers, say.

They join the training part alone, and leave no trace but in the weights: their texts and ids are
written to no file, so that those who wrote them can have them erased.
"""

from dataclasses import dataclass, replace

from datasets import Dataset

from classifier.data.duplicates import repeats_of
from classifier.data.reviews import load_reviews
from classifier.data.schema import OURS
from classifier.data.splits import Parts
from classifier.errors import ClassifierError


@dataclass(frozen=True)
class AdditionalRows:
    """Rows as `Reviews.rows` has them, each with its weight."""

    rows: Dataset
    fingerprint: str
    counts: dict[str, int]  # read, kept, and known: left out as like a row of a part or holdout

    @classmethod
    def load(cls, file: str, keep_ratings: bool) -> "AdditionalRows":
        """The usable rows of a file, no two alike; raises ClassifierError where there are none."""
        reviews = load_reviews(file, keep_ratings=keep_ratings, schema=OURS)
        counts = {"read": reviews.counts["read"], "kept": len(reviews.rows), "known": 0}
        return cls(reviews.rows, reviews.fingerprint, counts)

    def apart_from(self, parts: Parts, holdout: str | None) -> "AdditionalRows":
        """Without rows like one of the parts or of `holdout`, a file; ClassifierError for none."""
        known: list[str] = [text for part in vars(parts).values() for text in part["content"]]
        if holdout is not None:
            known += load_reviews(holdout, schema=OURS).rows["content"]
        repeated = repeats_of(known, list(self.rows["content"]))
        rows = self.rows.select([i for i, is_known in enumerate(repeated) if not is_known])
        if not len(rows):
            raise ClassifierError(f"All {len(self.rows)} extra reviews are known already.")
        counts = self.counts | {"kept": len(rows), "known": int(repeated.sum())}
        return replace(self, rows=rows, counts=counts)

    def summary(self) -> str:
        """One line: how many there are."""
        return (
            f"Extra reviews: {self.counts['read']:,} read, {self.counts['known']:,} known already;"
            f" {self.counts['kept']:,} to train on."
        )
