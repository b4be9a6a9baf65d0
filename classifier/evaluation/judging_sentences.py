"""Made-up texts in which a person would name one sentence at once: do the reasons name it?

A text is a handful of sentences that judge nothing, and at a random place one that judges. It is
named where it is among those that a person is shown, and named first where no other pulls the
rating as far. A blind choice would do either in a share of the texts, too, which is told beside.
"""

import random
from collections.abc import Callable
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from classifier.evaluation.resampling import mean_with_interval
from classifier.explanation.reasons import Predict, explanation_of
from classifier.modeling.pooling import POOLINGS

_FROM, _TO = 4, 8  # sentences that judge nothing
_FILMS = "картина лента драма комедия история экранизация"
_NOTHING = (
    "Действие происходит в {town}.",
    "Сеанс начался в {hour} часов вечера.",
    "Мы сидели в {row} ряду.",
    "Фильм идёт {minutes} минут.",
    "Съёмки заняли {row} месяцев.",
    "Сценарий написан по роману, который вышел {row} лет назад.",
    "Главный герой работает на почте.",
    "В начале показывают вокзал и поезд.",
    "У героини есть младшая сестра и старший брат.",
    "Потом все едут на дачу к бабушке.",
    "В зале было человек {minutes}.",
    "Билеты я купил накануне.",
    "Премьера прошла в {town} осенью.",
    "Во второй части герои живут в {town}.",
    "Роль соседа играет актёр из местного театра.",
    "Музыку записал оркестр из {minutes} человек.",
    "Операторов было двое.",
    "Брат приходит домой и открывает письмо.",
    "На столе стоят чашки, за окном идёт снег.",
    "Титры занимают {row} минут.",
    "До этого режиссёр снимал рекламу.",
    "Я смотрел его с двумя друзьями.",
)
_TOWNS = "Твери Казани Суздале Омске Пскове Калуге Самаре Туле"
_PRAISE = (
    "Это великолепный фильм, лучший за весь год!",
    "{film} просто потрясающая, я в полном восторге.",
    "Шедевр, советую посмотреть всем.",
    "Актёры играют гениально, я получил огромное удовольствие.",
    "Отличное, умное и очень доброе кино, пересмотрю ещё не раз.",
    "Замечательная {film}, ни одной лишней минуты.",
    "Прекрасно снято и прекрасно сыграно, спасибо режиссёру!",
    "Мне очень понравилось, это настоящее искусство.",
)
_BLAME = (
    "Это ужасный фильм, худший за весь год.",
    "{film} отвратительная, жаль потраченного времени.",
    "Полный провал, никому не советую.",
    "Актёры играют бездарно, смотреть невозможно.",
    "Скучное, глупое и пустое кино, еле досидел до конца.",
    "Бездарная {film}, сплошное разочарование.",
    "Снято плохо, сыграно ещё хуже, деньги на ветер.",
    "Мне совсем не понравилось, это просто позор.",
)


class Planted(NamedTuple):
    """A text, and the one sentence in it that judges."""

    text: str
    sentence: str


def planted_texts(count: int, seed: int = 0) -> list[Planted]:
    """Made-up texts, as many with praise as with blame."""
    chance = random.Random(seed)
    texts = []
    for number in range(count):
        sentences = [
            _filled(frame, chance) for frame in chance.sample(_NOTHING, chance.randint(_FROM, _TO))
        ]
        judging = _filled(chance.choice((_PRAISE, _BLAME)[number % 2]), chance)
        sentences.insert(chance.randint(0, len(sentences)), judging)
        texts.append(Planted(" ".join(sentences), judging))
    return texts


def naming(predict: Predict, count: int, on_text: Callable[[], None]) -> dict[str, Any]:
    """Shares of `count` texts whose judging sentence is `named` and `first`, ready for JSON.

    By pooling, and of `both` models at once, each with its 95 % interval; `chance` has the shares
    that as many sentences drawn blindly would have.
    """
    found: dict[str, list[list[float]]] = {name: [] for name in (*POOLINGS, "both", "chance")}
    for text, sentence in planted_texts(count):
        explanation = explanation_of(predict, text)
        told, blind = [], []
        for pooling, reasons in explanation.by_model.items():
            named = {pull.unit: pull.text for pull in (*reasons.shown, reasons.rests_on) if pull}
            first = max(reasons.pulls, key=lambda pull: abs(pull.rating))
            is_named = any(sentence in piece for piece in named.values())
            told.append([float(is_named), float(first.rating != 0 and sentence in first.text)])
            blind.append([len(named) / len(reasons.pulls), 1 / len(reasons.pulls)])
            found[pooling].append(told[-1])
        found["both"].append([min(pair) for pair in zip(*told, strict=True)])
        found["chance"].append([fmean(pair) for pair in zip(*blind, strict=True)])
        on_text()
    figures: dict[str, Any] = {"texts": count}
    for name, rows in found.items():
        columns = np.array(rows).T
        figures[name] = {
            measure: mean_with_interval(column)
            for measure, column in zip(("named", "first"), columns, strict=True)
        }
    return figures


def _filled(frame: str, chance: random.Random) -> str:
    """The sentence with its places filled at random."""
    sentence = frame.format(
        town=chance.choice(_TOWNS.split()),
        hour=chance.randint(5, 9),
        row=chance.randint(5, 20),
        minutes=chance.randrange(80, 150, 10),
        film=chance.choice(_FILMS.split()),
    )
    return sentence[0].upper() + sentence[1:]
