"""The reviews of an experiment: read, and apart from what judges."""

from dataclasses import dataclass

from classifier.data.holdout import Separated, separate
from classifier.data.reviews import Reviews
from classifier.training.additional_rows import AdditionalRows
from classifier.training.settings import RunContext, Settings


@dataclass(frozen=True)
class Data:
    """The reviews of an experiment, whatever its encoder."""

    reviews: Reviews  # without the holdout, where that is a file of its own
    held_out: Separated | None
    additional: AdditionalRows | None

    @property
    def fingerprint(self) -> str:
        """Equal for the same reviews."""
        fingerprint = self.reviews.fingerprint
        fingerprint += self.additional.fingerprint if self.additional else ""
        return fingerprint + (self.held_out.holdout.fingerprint if self.held_out else "")


def read_data(settings: Settings, context: RunContext) -> Data:
    """Load the reviews, and say what was found."""
    console, keep_ratings = context.console, settings.keep_ratings
    schema = settings.schema
    reviews = console.read_reviews(settings.reviews, context.models, schema, keep_ratings)
    held_out = None
    if settings.holdout is not None:
        holdout = console.read_reviews(
            settings.holdout, context.models, schema, keep_ratings, "holdout"
        )
        held_out = separate(reviews, holdout, settings.split)
        console.say(f"  {held_out.summary()}")
        reviews = held_out.rest
    additional = None
    if settings.extra is not None:
        additional = AdditionalRows.load(settings.extra, keep_ratings)
    return Data(reviews, held_out, additional)
