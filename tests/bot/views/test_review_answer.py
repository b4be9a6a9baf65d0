"""What is shown of stored reviews is true, readable, and HTML that Telegram takes."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local.html import parse
from bot.services.joining import units
from bot.texts import conversation
from bot.texts.locale import ENGLISH, RUSSIAN, Locale
from bot.views.keyboards import (
    FORGET_NO,
    FORGET_YES,
    RatingTap,
    answer_keyboard,
    rating_tap,
    why_tap,
)
from bot.views.review_answer import answer, history, snippet
from db.models import Feedback, Prediction, Review

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(), min_size=1, max_size=300)  # lone surrogates among it


def prediction(
    pooling: str, sentiment: int = 2, rating: int | None = 8, share: float = 0.87
) -> Prediction:
    shares = [share if index == sentiment else (1 - share) / 2 for index in range(3)]
    return Prediction(
        pooling=pooling,
        model_version="invented",
        sentiment=sentiment,
        probability_bad=shares[0],
        probability_neutral=shares[1],
        probability_good=shares[2],
        rating=rating,
        rating_probabilities=None if rating is None else [1 / 11] * 11,
        rating_confidence=None if rating is None else 0.72,
        milliseconds=1.0,
        created_at=NOW,
    )


def review(
    predictions: Sequence[Prediction], text: str = "Фильм хороший", rating: int | None = None
) -> Review:
    made = Review(
        user_id=1,
        chat_id=1,
        message_id=1,
        update_id=1,
        text=text,
        source="private",
        reply_message_id=2,
        created_at=NOW,
        predictions=list(predictions),
    )
    made.feedback = [] if rating is None else [feedback(rating)]
    return made


def feedback(rating: int, user_id: int = 1) -> Feedback:
    return Feedback(
        review_id=1,
        user_id=user_id,
        rating=rating,
        asked=False,
        held_out=False,
        created_at=NOW,
        updated_at=NOW,
    )


def shown(html: str) -> str:
    return parse(html)[0]


def test_an_answer_in_russian() -> None:
    stored = review([prediction("cls"), prediction("mean", sentiment=1, rating=6, share=0.54)])
    assert shown(answer(stored, RUSSIAN)).splitlines() == [
        "CLS  😊 Хорошо · 87\u00a0%",
        "★★★★★★★★☆☆  8 из 10 (±1: 72\u00a0%)",
        "",
        "Mean  😐 Нейтрально · 54\u00a0%",
        "★★★★★★☆☆☆☆  6 из 10 (±1: 72\u00a0%)",
        "",
        "Модели расходятся: CLS\u00a0— хорошо, Mean\u00a0— нейтрально.",
        "",
        "Какую оценку поставили вы?",
    ]


def test_a_few_are_asked_for_their_rating_in_so_many_words() -> None:
    stored = review([prediction("cls"), prediction("mean")])
    stored.asked_for = "random"
    assert answer(stored, RUSSIAN).endswith(conversation.PLEASE_RATE.ru)
    assert answer(stored, RUSSIAN, 7).endswith(RUSSIAN(conversation.YOUR_RATING, rating=7))


def test_an_answer_in_english() -> None:
    stored = review([prediction("cls", sentiment=0, rating=0), prediction("mean", rating=10)])
    lines = shown(answer(stored, ENGLISH, 3)).splitlines()
    assert lines[:2] == ["CLS  😞 Bad · 87%", "☆☆☆☆☆☆☆☆☆☆  0 of 10 (±1: 72%)"]
    assert lines[4] == "★★★★★★★★★★  10 of 10 (±1: 72%)"
    assert lines[-3:] == [
        "The models disagree: CLS says bad, Mean says good.",
        "",
        "Your rating: 3",
    ]


@pytest.mark.parametrize(
    ("cls", "mean", "sentence"),
    [
        (8, 8, "Модели согласны."),
        (8, 9, "Модели согласны."),
        (7, 9, "Настроение модели видят одинаково, а оценку по-разному: 7 и 9."),
        (None, None, "Модели согласны."),
    ],
)
def test_whether_the_ratings_agree(cls: int | None, mean: int | None, sentence: str) -> None:
    stored = review([prediction("cls", rating=cls), prediction("mean", rating=mean)])
    assert sentence in answer(stored, RUSSIAN)


def test_models_without_a_rating_answer_with_the_sentiment() -> None:
    stored = review([prediction("cls", rating=None), prediction("mean", rating=None)])
    text = shown(answer(stored, RUSSIAN))
    assert text.startswith("CLS  😊 Хорошо · 87\u00a0%\n\nMean")
    assert "★" not in text


def test_no_model_is_certain() -> None:
    stored = review([prediction("cls", share=1.0), prediction("mean", share=0.9999)])
    assert answer(stored, RUSSIAN).count("99\u00a0%") == 2


@pytest.mark.parametrize("locale", [RUSSIAN, ENGLISH])
@given(
    sentiments=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    ratings=st.tuples(st.integers(0, 10), st.integers(0, 10)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    given_rating=st.none() | st.integers(0, 10),
)
def test_every_answer_is_html_that_telegram_takes(
    locale: Locale,
    sentiments: tuple[int, int],
    ratings: tuple[int, int],
    shares: tuple[float, float],
    given_rating: int | None,
) -> None:
    poolings = ("cls", "mean")
    columns = zip(poolings, sentiments, ratings, shares, strict=True)
    stored = review([prediction(*values) for values in columns])
    text = shown(answer(stored, locale, given_rating))
    assert units(text) <= 4096
    assert max(map(len, text.splitlines())) <= 85


def test_a_history() -> None:
    pair = [prediction("cls"), prediction("mean", sentiment=1, rating=6)]
    rated, unrated = review(pair, "Смешной\n<b>фильм</b> & точка", rating=9), review(pair)
    rated.feedback.insert(0, feedback(2, user_id=7))
    assert shown(history([rated, unrated], 1, RUSSIAN)).splitlines() == [
        "Ваши последние отзывы",
        "",
        "01.03.2026",
        "«Смешной <b>фильм</b> & точка»",
        "CLS 😊 8 · Mean 😐 6 · вы 9",
        "",
        "01.03.2026",
        "«Фильм хороший»",
        "CLS 😊 8 · Mean 😐 6 · вы не оценили",
    ]


def test_no_history_yet() -> None:
    assert history([], 1, RUSSIAN) == conversation.HISTORY_EMPTY.ru


@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_any_history_is_html_that_telegram_takes(texts: list[str]) -> None:
    reviews = [review([prediction("cls"), prediction("mean")], text) for text in texts]
    said = history(reviews, 1, RUSSIAN)
    said.encode()  # no lone surrogate is left
    plain = shown(said)
    assert units(plain) <= 4096
    assert plain.count("\n") == len(texts) * 4


@given(st.text(st.characters(), max_size=3000))
def test_a_snippet_is_one_short_line(text: str) -> None:
    line = snippet(text)
    assert len(line) <= 81
    assert len(line.splitlines()) <= 1
    assert not set(line) & set("\u202e\u202d\u2066\u2067\u200f\x00")


def test_a_long_text_ends_with_dots() -> None:
    assert snippet("слово " * 30) == ("слово " * 14).strip()[:80].rstrip() + "…"


# --- keyboards


def test_the_keyboard_has_every_rating_and_ticks_the_chosen_one() -> None:
    first, second, (why,) = answer_keyboard(7, ENGLISH, 10).inline_keyboard
    assert [button.text for button in first] == ["0", "1", "2", "3", "4", "5"]
    assert [button.text for button in second] == ["6", "7", "8", "9", "✓ 10"]
    assert why.text == "Why?"
    assert why_tap(str(why.callback_data)) == 7


@given(st.integers(1, 2**63 - 1).filter(lambda number: number < 10**18), st.integers(0, 10))
def test_a_tap_says_which_button_it_was(review_id: int, rating: int) -> None:
    buttons = [
        button for row in answer_keyboard(review_id, RUSSIAN).inline_keyboard for button in row
    ]
    data = str(buttons[rating].callback_data)
    assert len(data.encode()) <= 64
    assert rating_tap(data) == RatingTap(review_id, rating)
    assert why_tap(data) is None


@pytest.mark.parametrize(
    "data", [None, "", "r:1:11", "r:1:-1", "r::5", "r:1:5x", "r:1:٥", f"r:{10**18}:5", "r:1:05"]
)
def test_other_taps_rate_nothing(data: str | None) -> None:
    assert rating_tap(data) is None


def test_the_answers_to_forget_fit_a_button() -> None:
    assert max(len(data.encode()) for data in (FORGET_YES, FORGET_NO)) <= 64
