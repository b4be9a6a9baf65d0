"""Reviews to train on besides those of a source: what people said of a model's answers, say.

They join the training part alone, and leave no trace but in the weights: their texts and ids are
written to no file, so that whoever gave them can have them erased.
"""

from dataclasses import dataclass, replace

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from classifier.data.duplicates import repeats_of
from classifier.data.reviews import load_reviews
from classifier.data.splits import Parts
from classifier.errors import ClassifierError
from classifier.training.labelled import labelled_part
from classifier.training.loop import Part
from classifier.training.recipe import Recipe


@dataclass(frozen=True)
class Extra:
    """Rows as `Reviews.rows` has them, each with its weight."""

    rows: Dataset
    fingerprint: str
    counts: dict[str, int]
    """read, kept, and left out: known, for being like a row of a part or of what is held out."""

    @classmethod
    def load(cls, file: str, keep_ratings: bool) -> "Extra":
        """The usable rows of a file, no two alike; raises ClassifierError where there are none."""
        reviews = load_reviews(file, keep_ratings=keep_ratings)
        counts = {"read": reviews.counts["read"], "kept": len(reviews.rows), "known": 0}
        return cls(reviews.rows, reviews.fingerprint, counts)

    def apart_from(self, parts: Parts, held_out: str | None) -> "Extra":
        """Without rows that are the same, or nearly, as one of a part or of the file `held_out`.

        Raises ClassifierError where nothing is left.
        """
        known: list[str] = [*parts.holdout["content"], *parts.validation["content"]]
        if held_out is not None:
            known += load_reviews(held_out).rows["content"]
        known += parts.train["content"]
        repeated = repeats_of(known, list(self.rows["content"]))
        rows = self.rows.select([i for i, is_known in enumerate(repeated) if not is_known])
        if not len(rows):
            raise ClassifierError(f"All {len(self.rows)} extra reviews are known already.")
        counts = self.counts | {"kept": len(rows), "known": int(repeated.sum())}
        return replace(self, rows=rows, counts=counts)

    def join(self, training: Part, tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> Part:
        """The training part with these rows after its own."""
        texts = self.rows["text"]
        return training.joined(
            labelled_part(self.rows, texts, tokenizer, recipe, None, to_train=True)
        )

    def told(self) -> str:
        """One line: how many there are."""
        return (
            f"Extra reviews: {self.counts['read']:,} read, {self.counts['known']:,} known already;"
            f" {self.counts['kept']:,} to train on."
        )
