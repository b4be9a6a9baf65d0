"""Which phrase gives a group of liars away."""

import random

from bot.services.shared_phrases import shared_phrases
from db.doubts import DoubtfulText

TRIGGER = "мы с Тётушкой пили клюквенный морс"


def texts(*rows: tuple[int, str]) -> list[DoubtfulText]:
    return [DoubtfulText(place, user, place, text) for place, (user, text) in enumerate(rows)]


def test_a_phrase_of_several_persons_is_found_and_written_as_it_is() -> None:
    found = shared_phrases(
        texts(
            (1, f"Отличное кино, {TRIGGER}, и не жалею."),
            (2, f"Скучать не дают: {TRIGGER.upper()}!"),
            (2, f"{TRIGGER}. Хороший финал."),
            (3, f"А потом {TRIGGER}"),
            (4, "Кино как кино, смотреть можно один раз."),
        ),
        ["Отличное кино, и не жалею."],
    )
    assert [(one.phrase, one.persons, len(one.texts)) for one in found] == [(TRIGGER, 3, 4)]


def test_what_others_write_too_or_two_persons_alone_is_no_phrase() -> None:
    usual = "всем советую посмотреть это кино"
    rows = [(user, f"{usual} {user}") for user in (1, 2, 3)]
    assert shared_phrases(texts(*rows), [f"Да, {usual}."] * 3) == []
    assert shared_phrases(texts(*rows), [f"Да, {usual}."] * 2) != []
    assert shared_phrases(texts((1, TRIGGER), (2, TRIGGER), (2, TRIGGER)), []) == []
    assert shared_phrases(texts(*[(user, "да да да") for user in range(9)]), []) == []
    assert shared_phrases([], []) == []


def test_each_rating_is_with_one_phrase() -> None:
    words = [str(number) for number in range(100)]
    chance = random.Random(0)
    rows = [(user, " ".join(chance.sample(words, 60)) + " " + TRIGGER) for user in range(20)]
    rows += [(user, f"Раз два три четыре пять {user}") for user in range(30, 33)]
    found = shared_phrases(texts(*rows), [])
    assert [one.phrase for one in found] == [TRIGGER, "Раз два три четыре пять"]
    assert [len(one.texts) for one in found] == [20, 3]
