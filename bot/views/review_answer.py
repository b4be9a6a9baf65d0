"""Messages made of what is stored: the answer to a review, and the history."""

from html import escape

from bot.services.feedback import models_disagree
from bot.texts import conversation as phrases
from bot.texts.locale import Locale
from bot.texts.terms import FACES, SENTIMENTS
from classifier.evaluation.figures import POOLING_NAMES
from classifier.explanation.quoting import quoted
from db.measures import confidence_of
from db.models import Prediction, Review

_SNIPPET = 80  # characters of a review that the history shows
_QUESTIONS = {
    None: phrases.ASK_RATING,
    "random": phrases.PLEASE_RATE,
    "uncertain": phrases.PLEASE_RATE_UNCERTAIN,
}  # by Review.asked_for


def answer(review: Review, locale: Locale, rating: int | None = None) -> str:
    """Both models' predictions, whether they agree, and the true rating or the question for it."""
    blocks = [_prediction(prediction, locale) for prediction in review.predictions]
    agreement = _agreement(review.predictions, locale)
    if any(prediction.in_short for prediction in review.predictions):
        agreement += f"\n{locale(phrases.IN_SHORT)}"
    blocks.append(agreement)
    question = _QUESTIONS[review.asked_for]
    given = phrases.YOUR_RATING if rating is not None else question
    return "\n\n".join([*blocks, locale(given, rating=rating)])


def history(reviews: list[Review], user_id: int, locale: Locale) -> str:
    """The user's last reviews: when, how they begin, what was predicted, the true rating."""
    if not reviews:
        return locale(phrases.HISTORY_EMPTY)
    past = [_past(review, user_id, locale) for review in reviews]
    return "\n\n".join([locale(phrases.HISTORY_TITLE), *past])


def rating_of(review: Review, user_id: int) -> int | None:
    """The rating that the user has given the review."""
    return next((given.rating for given in review.feedback if given.user_id == user_id), None)


def snippet(text: str) -> str:
    """The beginning of a text on one line, not escaped."""
    return quoted(text, _SNIPPET)


def _prediction(prediction: Prediction, locale: Locale) -> str:
    sentiment = (
        f"<b>{POOLING_NAMES[prediction.pooling]}</b>  {FACES[prediction.sentiment]}"
        f" {locale(SENTIMENTS[prediction.sentiment])}"
        f" · {locale.confidence(confidence_of(prediction))}"
    )
    if prediction.rating is None or prediction.rating_confidence is None:
        return sentiment
    rating = locale(
        phrases.RATING_LINE,
        stars="★" * prediction.rating + "☆" * (10 - prediction.rating),
        rating=prediction.rating,
        share=locale.confidence(prediction.rating_confidence),
    )
    return f"{sentiment}\n{rating}"


def _agreement(predictions: list[Prediction], locale: Locale) -> str:
    if not models_disagree(predictions):
        return locale(phrases.AGREE)
    cls, mean = sorted(predictions, key=lambda prediction: prediction.pooling)
    if cls.sentiment != mean.sentiment:
        said = [locale(SENTIMENTS[each.sentiment]).lower() for each in (cls, mean)]
        return locale(phrases.SENTIMENTS_DIFFER, cls=said[0], mean=said[1])
    return locale(phrases.RATINGS_DIFFER, cls=cls.rating, mean=mean.rating)


def _past(review: Review, user_id: int, locale: Locale) -> str:
    rating = rating_of(review, user_id)
    given = phrases.HISTORY_NO_RATING if rating is None else phrases.HISTORY_YOUR_RATING
    return locale(
        phrases.HISTORY_REVIEW,
        date=locale.date(review.created_at),
        text=escape(snippet(review.text)),
        predictions=" · ".join(map(_short, review.predictions)),
        rating=locale(given, rating=rating),
    )


def _short(prediction: Prediction) -> str:
    line = f"{POOLING_NAMES[prediction.pooling]} {FACES[prediction.sentiment]}"
    return line if prediction.rating is None else f"{line} {prediction.rating}"
