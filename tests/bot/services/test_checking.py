"""Which texts are reviews, and how files become texts."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.services.checking import Problem, ReviewText, check, decode_file

REVIEW = "Сюжет предсказуем, зато актёры хороши."


@pytest.mark.parametrize(
    "text",
    [
        REVIEW,
        "Очень скучно до зевоты. 3 из 10",
        "Фільм чудовий, актори грають дуже переконливо.",  # Ukrainian
        "Фільм цікавы, акцёры граюць выдатна.",  # Belarusian
        "Смотрел в IMAX, звук Dolby Atmos, графика отличная",
        "10/10! Лучшее, что я видел за этот год.",
        "Отзыв у меня тут: https://example.org/review — а фильм прекрасный",
        "Й" + "и\u0306" * 15 + " и ещё",  # «й» as two characters
        "<b>Отличный фильм</b> & точка, всем советую",
        "слово " * 3333,
    ],
)
def test_these_are_reviews(text: str) -> None:
    assert check(text) == ReviewText(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.ONLY_SYMBOLS),
        ("   \n ", Problem.ONLY_SYMBOLS),
        ("🔥🔥🔥", Problem.ONLY_SYMBOLS),
        ("!!! ... 2026", Problem.ONLY_SYMBOLS),
        ("8 из 10", Problem.ONLY_RATING),
        ("Моя оценка: 9/10", Problem.ONLY_RATING),
        ("https://www.kinopoisk.ru/film/326/", Problem.ONLY_LINKS),
        ("kinopoisk.ru/film/326 🔥", Problem.ONLY_LINKS),
        ("https://пример.рф/отзыв-о-фильме-очень-длинный", Problem.ONLY_LINKS),
        ("круто", Problem.TOO_SHORT),
        ("да я за", Problem.TOO_SHORT),  # three words, too few letters
        ("Великолепнейшая картина", Problem.TOO_SHORT),  # enough letters, two words
        ("Круто. 9 из 10", Problem.TOO_SHORT),
        ("What a film, I loved it", Problem.NOT_RUSSIAN),
        ("An excellent film фильм", Problem.NOT_RUSSIAN),
        ("この映画はとても面白かったです", Problem.NOT_RUSSIAN),
        ("а" * 20_001, Problem.TOO_LONG),
    ],
)
def test_these_are_not(text: str, problem: Problem) -> None:
    assert check(text) is problem


def test_what_no_tokenizer_takes_is_replaced() -> None:
    assert check(REVIEW + "\ud83d\x00") == ReviewText(REVIEW + "\ufffd\ufffd")


@given(st.text(st.characters()) | st.text(st.sampled_from("8 из10/фильм★\u0301\u202e\ud800\x00.")))
@example("\ud800" * 30)
@example("и\u0301" * 40)
@example("\u202e" + REVIEW)
def test_any_text_gets_a_verdict(text: str) -> None:
    verdict = check(text)
    if isinstance(verdict, ReviewText):
        verdict.text.encode()
        assert len(verdict.text) == len(text)


@pytest.mark.parametrize(
    "pattern", ["8 ", "8 8 из 10 из 10 ", "www.", "a.ru", "а-", "5/", "(", " "]
)
def test_no_text_takes_long(pattern: str) -> None:
    started = time.process_time()
    check((pattern * 20_000)[:20_000])
    assert time.process_time() - started < 2


# --- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_a_file_in_any_usual_encoding_is_read(encoding: str) -> None:
    assert decode_file(REVIEW.encode(encoding)) == REVIEW


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"\x89PNG\r\n\x98\xff", b"\xff\xfe\x00"])
def test_a_file_that_is_no_text_is_none(content: bytes) -> None:
    assert decode_file(content) is None


@given(st.binary(max_size=300))
def test_any_file_is_text_or_none(content: bytes) -> None:
    text = decode_file(content)
    assert text is None or "\x00" not in text


@given(st.text(max_size=300).filter(lambda text: "\x00" not in text and text[:1] != "\ufeff"))
def test_utf8_comes_back_as_it_was(text: str) -> None:
    assert decode_file(text.encode()) == text
