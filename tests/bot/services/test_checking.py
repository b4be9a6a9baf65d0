"""Which texts are reviews."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.services.checking import Problem, ReviewText, check
from classifier.data.garbling import SINGLE_BYTE, is_garbled

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
        "ХА-ХА-ХА, МХАТ, ВГИК И ГИТИС В ОДНОМ ФИЛЬМЕ!",
        "Фільмді көрдім, өте жақсы екен, бәріне ұсынамын.",  # Kazakh
        "Филмът е чудесен, актьорите играят много убедително.",  # Bulgarian
        "Хахахахахахаха, хахахахаха, хохохохо! Хихихи.",
        "Аааааааа, бррррр, ыыыыы, фффффф, ужжжжжас!!!",
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
    "pattern", ["8 ", "8 8 из 10 из 10 ", "www.", "a.ru", "а-", "5/", "(", " ", "ЪУ ", "РџС", "Ð"]
)
def test_no_text_takes_long(pattern: str) -> None:
    started = time.process_time()
    check((pattern * 20_000)[:20_000])
    assert time.process_time() - started < 2


# --- garbled text

WRONG = (*SINGLE_BYTE, "cp1252", "latin-1", "mac-roman")


def garbled(text: str, right: str, wrong: str) -> str:
    """The text as a program shows it that takes its encoding for another."""
    return text.encode(right, "ignore").decode(wrong, "ignore")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("right", ["utf-8", *SINGLE_BYTE])
@pytest.mark.parametrize("case", [str, str.upper, str.lower])
def test_garbled_text_is_never_rated(
    right: str, wrong: str, case: Callable[[str], str], texts: list[str]
) -> None:
    for text in texts[:4]:
        clean = case(text)[:300]
        shown = garbled(clean, right, wrong)
        if _differs(shown, clean):
            assert check(shown) is Problem.GARBLED, shown
            assert check(f"{clean}\n\n{shown}") is Problem.GARBLED, shown


def _differs(shown: str, clean: str) -> bool:
    words = clean.split()
    return 2 * len(set(words) & set(shown.split())) < len(set(words))


@pytest.mark.parametrize(
    "text",
    [
        "РџСЂРёРІРµС‚, С„РёР»СЊРј РѕС‡РµРЅСЊ РїРѕРЅСЂР°РІРёР»СЃСЏ",
        "ÐŸÑ€Ð¸Ð²ÐµÑ‚, Ñ„Ð¸Ð»ÑŒÐ¼ Ð¾Ñ‡ÐµÐ½ÑŒ Ð¿Ð¾Ð½Ñ€Ð°Ð²Ð¸Ð»Ñ\x81Ñ\x8f",
        "оПХБЕР, ТХКЭЛ НВЕМЭ ОНМПЮБХКЯЪ",
        "Ôèëüì î÷åíü ïîíðàâèëñÿ, ñîâåòóþ",
        garbled(garbled(REVIEW, "utf-8", "cp1251"), "utf-8", "cp1251"),
        "Фильм ��� хорош���, акт��ы старались",
        "пїЅпїЅпїЅпїЅ пїЅпїЅпїЅпїЅпїЅ",
    ],
)
def test_what_people_paste_is_told_to_be_garbled(text: str) -> None:
    assert check(text) is Problem.GARBLED


@pytest.mark.parametrize("case", [str, str.upper, str.lower, str.title, str.swapcase])
def test_no_review_is_taken_for_garbled(case: Callable[[str], str], texts: list[str]) -> None:
    assert not [text for text in texts if is_garbled(case(text))]
