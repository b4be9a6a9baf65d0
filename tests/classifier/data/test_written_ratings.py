import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.data.written_ratings import (
    WrittenRating,
    find_ratings,
    strip_ratings,
    without_markup,
)

OUT_OF_TEN = {
    "8 из 10": 8,
    "10 из 10": 10,
    "10  из  10.": 10,
    "9,5 из 10": 9.5,
    "11 из 10": 11,
    "8.5/10": 8.5,
    "10/10": 10,
    "7 / 10": 7,
    "8\\10": 8,
    "(7 из 10)": 7,
    "«7 из 10»": 7,
    "8 из 10-ти": 8,
    "8+ из 10": 8,
    "семь из десяти": 7,
    "СЕМЬ ИЗ ДЕСЯТИ": 7,
    "семь с половиной из десяти": 7.5,
    "семёрка из десяти": 7,
    "8 баллов из 10": 8,
    "10 баллов из 10 возможных": 10,
    "один балл из десяти": 1,
    "4 кислотных плевка из 10": 4,
    "8-9 из 10": 8.5,
    "8–9 из 10": 8.5,
    "7 или 8 из 10": 7.5,
    "8\xa0из\xa010": 8,
    "8\u202fиз\u202f10": 8,
    "8\nиз 10": 8,
    "８／１０": 8,
    "７ из １０": 7,
    "7 из 10 баллов": 7,
    "7 из 10 звёзд": 7,
}
OTHER_SCALES = {
    "4 из 5": (4, 5),
    "три звезды из пяти": (3, 5),
    "100 из 100": (100, 100),
    "3 из 4": (3, 4),
    "4/5": (4, 5),
    "★★★★☆": (4, 5),
    "⭐️⭐️⭐️": (3, None),
}
STATED = {
    "восемь баллов": 8,
    "10 баллов": 10,
    "моя оценка: 9": 9,
    "Моя оценка? 7.": 7,
    "Оценка — 7": 7,
    "Оценка:\n\n7": 7,
    "Итог: 8": 8,
    "по десятибалльной шкале 8": 8,
    "по 10-бальной шкале - 8": 8,
    "ставлю 6": 6,
    "ставлю фильму 10": 10,
    "ставлю этому фильму твёрдую «8»": 8,
    "поставила 8": 8,
    "ставлю восьмёрку": 8,
    "ставлю восьмерку": 8,
    "ставлю девятку": 9,
    "ставлю десятку": 10,
    "ставлю пятёрку": 5,
    "ставлю двойку": 2,
    "ставлю кол": 1,
    "ставлю единицу": 1,
    "ставлю 10-ку": 10,
    "больше 7 поставить не могу": 7,
    "десятку ставлю редко": 10,
    "твёрдая семёрка": 7,
    "честные 8": 8,
    "сыграно на троечку": 3,
    "сыграл на пять с плюсом": 5,
    "Троечка за старания": 3,
    "Моя оценка 9+": 9,
    "Моя оценка 5-": 5,
    "Сюжет: 8": 8,
    "Какой шедевр. 10!": 10,
    "Хороший фильм\n\n8": 8,
}
NO_RATINGS = """
5 из 10 зрителей ушли
один из десяти лучших фильмов
один из десяти
2 из 10 героев выжили
3 из 10 человек досидели до конца
премьера 24/10, повтор 10/10/2010
на 2/3 фильма
через 10 минут
7 человек в зале
на 2 балла выше
пятёрка друзей едет в лес
тройка главных героев
он купил семёрку и гараж
Великолепная семёрка
мультфильм «Девятка»
12 лет рабства
9 рота
ставлю на то, что будет продолжение
поставил 2 спектакля
дал 5 минут на раздумья
Итог: 2 часа потерянного времени
Плюсы сюжета:
1) темп
8 серия лучшая
в 2010 году
рейтинг 16+
на 100% согласен
фильм 1+1
музыка Би-2
увеличили в десятки раз
из десятка ржавых камер
насадил на кол не одного врага
""".strip().splitlines()


@pytest.mark.parametrize(("text", "value"), OUT_OF_TEN.items())
def test_out_of_ten(text: str, value: float) -> None:
    for written in (text, f"Отличный фильм, {text}", f"{text}\n\nP.S. Смотрите все."):
        (rating,) = find_ratings(written)
        assert (rating.value, rating.out_of) == (value, 10)
        assert strip_ratings(written) in (
            "",
            "Отличный фильм",
            "Отличный фильм.",
            "P.S. Смотрите все.",
        )


@pytest.mark.parametrize(("text", "expected"), OTHER_SCALES.items())
def test_other_scales(text: str, expected: tuple[float, int | None]) -> None:
    (rating,) = find_ratings(f"Смотреть можно.\n\n{text}")
    assert (rating.value, rating.out_of) == expected
    assert strip_ratings(f"Смотреть можно.\n\n{text}") == "Смотреть можно."


@pytest.mark.parametrize(("text", "value"), STATED.items())
def test_stated_without_a_scale(text: str, value: float) -> None:
    (rating,) = find_ratings(text)
    assert (rating.value, rating.out_of) == (value, None)


@pytest.mark.parametrize("text", [*NO_RATINGS, "\n".join(NO_RATINGS), "", " \n", "Просто фильм."])
def test_what_is_no_rating_stays(text: str) -> None:
    assert find_ratings(text) == []
    assert strip_ratings(text) == text


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("Фильм хорош.\n\nМоя оценка:\n\n10 из 10\n\nP.S. Ура!", "Фильм хорош.\n\nP.S. Ура!"),
        ("Поэтому ставлю фильму 8 из 10. Смотрите!", "Смотрите!"),
        ("Ставлю 8 из 10 за музыку.", "Ставлю за музыку."),
        ("Игра хороша (8 из 10), сюжет слаб (4/10).", "Игра хороша, сюжет слаб."),
        ("а) сюжет 7/10, актёры 8/10", "а) сюжет, актёры"),
        ("Сюжет - 7, музыка - 8.", "Сюжет, музыка."),
        ("10 из 10 фильм шикарный", "фильм шикарный"),
        ("8 из 10 Рекомендую", "Рекомендую"),
        ("5 из 10 за старания", "за старания"),
        ("Хорошее кино!\n\n\n8 из 10!!!", "Хорошее кино!"),
        ("Картина на 8 из 10, советую", "Картина на, советую"),
        ("Один. 8 из 10 Два.\n\n  Три  четыре", "Один. Два.\n\n  Три  четыре"),
        ("8 8 из 10 из 10", ""),  # the 8 that is left stands alone: a rating too
    ],
)
def test_what_is_left_is_tidy(text: str, stripped: str) -> None:
    assert strip_ratings(text) == stripped


def test_places_in_the_text_as_it_was_written() -> None:
    text = "Ёлки\xa0— 7 / 10. А книга — твёрдая «девятка»!"
    assert find_ratings(text) == [WrittenRating(7, 13, 7.0, 10), WrittenRating(34, 41, 9.0, None)]
    assert text[7:13] == "7 / 10"
    assert text[34:41] == "девятка"


# --- forms, put together of their parts

DIGITS = [str(number) for number in range(11)] + ["7,5", "8.5", "7-8"]
WRITTEN = ["ноль", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"]
GRADES = [
    "единица",
    "двойка",
    "тройка",
    "четвёрка",
    "пятёрка",
    "шестёрка",
    "семёрка",
    "восьмёрка",
    "девятка",
    "десятка",
]
RESERVES = ["", "+", " с плюсом", " с минусом", " с натяжкой", " с большой натяжкой"]
TAILS = [
    f"{before}{of}{blank}{ten}{after}"
    for before, after in ((" ", ""), (" (", ")"), (" [", "]"), (" - ", ""), (" — ", ""))
    for of in ("из", "ИЗ", "out of", "of")
    for blank in (" ", "\xa0")
    for ten in ("10", "десяти")
]
TAILS += ["/10", " / 10", " из десятка", " из десятки", " из 10-ти", " баллов из 10"]
TAILS += [" по 10-балльной шкале", " по 10-ти балльной шкале", " по десятибалльной системе"]
TAILS += [" по десятибальной", " по шкале от 1 до 10", " баллов по 10-балльной шкале"]
MARKUPS = [
    lambda text: text,
    lambda text: text.replace(" ", "&nbsp;"),
    lambda text: text.replace(" ", "&#160;"),
    lambda text: f"<b>{text}</b>",
    lambda text: f'<br /><span class="rating">{text}</span>',
    lambda text: f"[b][color=red]{text}[/color][/b]",
    lambda text: text.replace(" ", "</b> <i>"),
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: "".join(f"&amp;#x{ord(char):x};" for char in text),
]
PEOPLE = (
    "россиян американцев врачей женщин зрителей критиков моих друзей детей ребят девушек солдат"
    " крестьян учениц негритят случаев серий фильмов героев жителей подростков шуток"
)
THINGS = {
    "before": ["шторм", "землетрясение в", "ветер до", "сдал ЕГЭ на", "экзамен на", "толчки в"],
    "after": ["ЕГЭ", "за ЕГЭ", "по шкале Рихтера", "по Рихтеру", "на экзамене", "Гриффиндору"],
}


@settings(max_examples=500)
@given(
    st.sampled_from(DIGITS + WRITTEN + GRADES),
    st.sampled_from(RESERVES),
    st.sampled_from(TAILS),
    st.sampled_from(MARKUPS),
    st.booleans(),
)
def test_every_form_of_a_rating_goes(
    value: str, reserve: str, tail: str, markup: Callable[[str], str], capital: bool
) -> None:
    rating = f"{value}{reserve}{tail}"
    written = markup(rating.capitalize() if capital else rating)
    for text in (written, f"Смотреть можно.\n\n{written}", f"Смотреть можно. {written}!"):
        assert strip_ratings(text).strip() in ("", "Смотреть можно."), text


@given(
    st.sampled_from(DIGITS + WRITTEN + GRADES),
    st.sampled_from([" с плюсом", " с минусом", " с натяжкой", " с большим плюсом"]),
    st.sampled_from(["Отличный фильм, {}", "{}.", "Фильму — {}", "Игра на {}, сюжет так себе"]),
)
def test_a_grade_with_a_reserve_is_a_rating(value: str, reserve: str, form: str) -> None:
    assert reserve not in strip_ratings(form.format(value + reserve))


@given(st.sampled_from(DIGITS + WRITTEN + GRADES), st.sampled_from([".", "!", "", "!!!", "…"]))
def test_a_number_alone_at_the_end_is_a_rating(value: str, end: str) -> None:
    for blank in (" ", "\n", "\n\n"):
        text = f"Смотреть можно.{blank}{value.capitalize()}{end}"
        assert strip_ratings(text) == "Смотреть можно."


@given(
    st.sampled_from(["3", "5", "7", "8", "9", "пять", "семь", "девять"]),
    st.sampled_from(PEOPLE.split()),
)
def test_counted_people_and_things_stay(value: str, counted: str) -> None:
    if counted == "моих":
        counted = "моих друзей"
    for ten in ("10", "десяти"):
        text = f"Ушли {value} из {ten} {counted}, и правильно."
        assert strip_ratings(text) == text


@given(st.integers(1, 10), st.data())
def test_points_of_something_else_stay(value: int, data: st.DataObject) -> None:
    before = f"Там {data.draw(st.sampled_from(THINGS['before']))} {value} баллов, и это страшно."
    after = f"Там {value} баллов {data.draw(st.sampled_from(THINGS['after']))}, и это много."
    for text in (before, after):
        assert strip_ratings(text) == text


@given(st.sampled_from(MARKUPS))
def test_markup_stays_where_there_is_no_rating(markup: Callable[[str], str]) -> None:
    text = markup("Смотрел с друзьями, понравилось всем")
    assert strip_ratings(text) == text


WORDS = [*OUT_OF_TEN, *OTHER_SCALES, *STATED, *NO_RATINGS, "8", "10", "из", "из 10", "/10", "семь"]
WORDS += [
    " ",
    "\n",
    "\r\n",
    "\x85",
    ".",
    ",",
    "-",
    "—",
    ":",
    "(",
    ")",
    "«",
    "»",
    "İ",
    "ё",
    "★",
    "из десяти",
]
review_like = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=12).flatmap(
    lambda parts: st.sampled_from(["", " ", "\n"]).map(lambda joint: joint.join(parts))
)


@settings(max_examples=500)
@given(review_like | st.text())
def test_stripping_leaves_no_rating_and_nothing_new(text: str) -> None:
    stripped = strip_ratings(text)
    assert find_ratings(stripped) == []
    assert strip_ratings(stripped) == stripped
    if not find_ratings(text) and not find_ratings(without_markup(text)):
        assert stripped == text


@settings(max_examples=300)
@given(review_like)
def test_ratings_lie_in_the_text_one_after_another(text: str) -> None:
    position = 0
    for rating in find_ratings(text):
        assert position <= rating.start < rating.end <= len(text)
        assert rating.value >= 0
        position = rating.end


@given(st.integers(0, 10), st.sampled_from(["{} из 10", "{}/10", "Моя оценка: {}", "ставлю {}"]))
def test_a_rating_after_any_sentence_goes_and_the_sentence_stays(value: int, form: str) -> None:
    text = "Смотрел один раз, в 2010 году, и 3 часа пролетели."
    assert strip_ratings(f"{text}\n\n{form.format(value)}") == text


UNITS = ["8", " ", "8 ", "из ", "8 из ", "из 10 ", "8 из 10 ", "8/10 ", "8,8 ", "8-", "\n", "семь "]
UNITS += [
    "★",
    "8 баллов ",
    "ставлю 7, ",
    "моя оценка ",
    "сюжет: 8, ",
    "твёрдая 8 ",
    "((8/10))",
    "&amp;",
    "&amp;lt;b",
    "<b>8</b>/10 ",
    "<",
    "[b]",
    "[b 8 ",
    "8 с плюсом ",
    "8 (из ",
    "8 по 10-",
    "шторм 9 баллов ",
    "'",
]


@pytest.mark.parametrize("unit", UNITS)
def test_no_text_is_slow(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    began = time.thread_time()
    stripped = strip_ratings(text)
    # Half a second, or twice that while coverage watches; quadratic patterns took minutes.
    assert time.thread_time() - began < 10
    assert len(stripped) <= len(text)


def test_nested_ratings_are_not_slow_either() -> None:
    text = "8 " * 10_000 + "из 10 " * 10_000
    began = time.thread_time()
    assert find_ratings(strip_ratings(text)) == []
    assert time.thread_time() - began < 10
