"""Messages made of what is stored: the answer to a review, and the history."""

import unicodedata
from html import escape

from bot.services.feedback import is_asked
from bot.texts import conversation as phrases
from bot.texts.locale import Locale
from bot.texts.terms import FACES, SENTIMENTS
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import ratings_differ
from db.models import Prediction, Review

_SNIPPET = 80  # characters of a review that the history shows


def answer(review: Review, locale: Locale, rating: int | None = None) -> str:
    """Both models' predictions, whether they agree, and the true rating or the question for it."""
    blocks = [_prediction(prediction, locale) for prediction in review.predictions]
    blocks.append(_agreement(review.predictions, locale))
    if rating is not None:
        blocks.append(locale(phrases.YOUR_RATING, rating=rating))
    else:
        blocks.append(
            locale(phrases.PLEASE_RATE if is_asked(review.update_id) else phrases.ASK_RATING)
        )
    return "\n\n".join(blocks)


def history(reviews: list[Review], user_id: int, locale: Locale) -> str:
    """The user's last reviews: when, how they begin, what was predicted, the true rating."""
    if not reviews:
        return locale(phrases.HISTORY_EMPTY)
    return "\n\n".join(
        [locale(phrases.HISTORY_TITLE), *(_past(one, user_id, locale) for one in reviews)]
    )


def rating_of(review: Review, user_id: int) -> int | None:
    """The rating that the user has given the review."""
    return next((given.rating for given in review.feedback if given.user_id == user_id), None)


def snippet(text: str) -> str:
    """The beginning of a text on one line, not escaped."""
    visible = "".join(_visible(character) for character in text[: 10 * _SNIPPET])
    line = " ".join(visible.split())
    return line if len(line) <= _SNIPPET else line[:_SNIPPET].rstrip() + "…"


def _prediction(prediction: Prediction, locale: Locale) -> str:
    probabilities = (
        prediction.probability_bad,
        prediction.probability_neutral,
        prediction.probability_good,
    )
    sentiment = locale(
        phrases.SENTIMENT_LINE,
        model=POOLING_NAMES[prediction.pooling],
        face=FACES[prediction.sentiment],
        sentiment=locale(SENTIMENTS[prediction.sentiment]),
        share=_percent(probabilities[prediction.sentiment]),
    )
    if prediction.rating is None or prediction.rating_confidence is None:
        return sentiment
    rating = locale(
        phrases.RATING_LINE,
        stars="★" * prediction.rating + "☆" * (10 - prediction.rating),
        rating=prediction.rating,
        share=_percent(prediction.rating_confidence),
    )
    return f"{sentiment}\n{rating}"


def _agreement(predictions: list[Prediction], locale: Locale) -> str:
    cls, mean = sorted(predictions, key=lambda prediction: prediction.pooling)
    if cls.sentiment != mean.sentiment:
        return locale(
            phrases.SENTIMENTS_DIFFER,
            cls=locale(SENTIMENTS[cls.sentiment]).lower(),
            mean=locale(SENTIMENTS[mean.sentiment]).lower(),
        )
    if ratings_differ(cls.rating, mean.rating):
        return locale(phrases.RATINGS_DIFFER, cls=cls.rating, mean=mean.rating)
    return locale(phrases.AGREE)


def _past(review: Review, user_id: int, locale: Locale) -> str:
    rating = rating_of(review, user_id)
    return locale(
        phrases.HISTORY_REVIEW,
        date=locale.date(review.created_at),
        text=escape(snippet(review.text)),
        predictions=" · ".join(map(_short, review.predictions)),
        rating=locale(phrases.HISTORY_NO_RATING)
        if rating is None
        else locale(phrases.HISTORY_YOUR_RATING, rating=rating),
    )


def _short(prediction: Prediction) -> str:
    line = f"{POOLING_NAMES[prediction.pooling]} {FACES[prediction.sentiment]}"
    return line if prediction.rating is None else f"{line} {prediction.rating}"


def _percent(share: float) -> int:
    return min(max(round(100 * share), 1), 99)  # no model is certain


def _visible(character: str) -> str:
    """A blank for a control character; nothing for one that changes the direction of writing."""
    kind = unicodedata.category(character)
    if kind == "Cf":
        return character if character == "\u200d" else ""  # it joins emoji
    return " " if kind.startswith("C") else character
