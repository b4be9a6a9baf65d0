"""One review's answer in the reader's language: Russian, or English where the locale says so."""

import os
from dataclasses import dataclass

from classifier.evaluation.figures import POOLING_NAMES
from classifier.explanation.quoting import quoted
from classifier.explanation.reasons import Explanation, Reasons
from classifier.labels import ratings_differ
from classifier.modeling.pooling import Pooling
from classifier.serving.predictor import Prediction

_QUOTED = 70  # characters of a sentence


@dataclass(frozen=True)
class Phrases:
    """Everything a person at the prompt reads."""

    sentiments: dict[str, str]
    welcome: str
    prompt: str
    agree: str
    sentiments_differ: str
    ratings_differ: str
    sure: str
    within_one: str
    nothing: str
    goodbye: str
    why: str
    why_words: str
    pull: str
    decimal: str
    rests_on: str
    no_pull: str
    rest_on_others: str


RUSSIAN = Phrases(
    sentiments={"Bad": "плохо", "Neutral": "нейтрально", "Good": "хорошо"},
    welcome="Напишите рецензию на фильм, и обе модели поставят ей оценку. Пустая строка — выход.",
    prompt="Рецензия> ",
    agree="Модели согласны.",
    sentiments_differ="Модели расходятся: CLS — «{cls}», Mean — «{mean}».",
    ratings_differ="В настроении модели согласны, а в оценке расходятся: {cls} и {mean}.",
    sure="уверенность {share:.0%}",
    within_one="±1 балл: {share:.0%}",
    nothing="Здесь нечего оценивать: нет ни одного слова.",
    goodbye="До встречи!",
    why="Почему: насколько баллов изменилась бы оценка без этих предложений",
    why_words="Почему: предложение одно, поэтому по словам — насколько баллов они меняют оценку",
    pull="{name}  {points}  «{text}»",
    decimal=",",
    rests_on="{name}  настроение держится на «{text}»",
    no_pull="{name}  ничто по отдельности оценку не меняет",
    rest_on_others="Модели опираются на разное.",
)
ENGLISH = Phrases(
    sentiments={"Bad": "bad", "Neutral": "neutral", "Good": "good"},
    welcome="Write a film review in Russian, and both models will rate it. Empty line to leave.",
    prompt="Review> ",
    agree="The models agree.",
    sentiments_differ="The models disagree: CLS says {cls}, Mean says {mean}.",
    ratings_differ="The models agree on the sentiment but not on the rating: {cls} and {mean}.",
    sure="{share:.0%} sure",
    within_one="within 1 point: {share:.0%}",
    nothing="Nothing to rate here: there is no word in it.",
    goodbye="See you!",
    why="Why: by how many points the rating is different with each of these sentences",
    why_words="Why: there is one sentence, so by words: by how many points each changes the rating",
    pull="{name}  {points}  “{text}”",
    decimal=".",
    rests_on="{name}  the sentiment rests on “{text}”",
    no_pull="{name}  nothing by itself changes the rating",
    rest_on_others="The models rest on different parts.",
)


def phrases() -> Phrases:
    """English where the locale is English, Russian everywhere else."""
    locale = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return ENGLISH if locale.lower().startswith("en") else RUSSIAN


def answer(predictions: dict[Pooling, Prediction], say: Phrases) -> str:
    """A line a model, and whether they agree."""
    lines = [_line(prediction, say) for prediction in predictions.values()]
    cls, mean = predictions["cls"], predictions["mean"]
    if cls.sentiment != mean.sentiment:
        differing = {pooling: say.sentiments[p.sentiment] for pooling, p in predictions.items()}
        lines.append(say.sentiments_differ.format(**differing))
    elif ratings_differ(cls.rating, mean.rating):
        lines.append(say.ratings_differ.format(cls=cls.rating, mean=mean.rating))
    else:
        lines.append(say.agree)
    return "\n".join(lines)


def why(explanation: Explanation, say: Phrases) -> str:
    """What pulls each model's answer up and down, and whether they rest on the same."""
    lines = [say.why if explanation.units.kind == "sentences" else say.why_words]
    for pooling, reasons in explanation.by_model.items():
        lines += _why_of(f"{POOLING_NAMES[pooling]:4}", reasons, say)
    if explanation.differ:
        lines.append(say.rest_on_others)
    return "\n".join(lines)


def _why_of(name: str, reasons: Reasons, say: Phrases) -> list[str]:
    lines = [
        say.pull.format(
            name=name,
            points=f"{pull.rating:+.1f}".replace("-", "−").replace(".", say.decimal),
            text=quoted(pull.text, _QUOTED),
        )
        for pull in reasons.shown
    ]
    if reasons.rests_on is not None:
        text = quoted(reasons.rests_on.text, _QUOTED)
        lines.append(say.rests_on.format(name=name, text=text))
    return lines or [say.no_pull.format(name=name)]


def _line(prediction: Prediction, say: Phrases) -> str:
    sentiment = say.sentiments[prediction.sentiment]
    sure = say.sure.format(share=prediction.confidence)
    name = f"{POOLING_NAMES[prediction.pooling]:4}"
    if prediction.rating is None or prediction.rating_confidence is None:
        return f"{name}  {sentiment}, {sure}"
    stars = "★" * prediction.rating + "☆" * (10 - prediction.rating)
    near = say.within_one.format(share=prediction.rating_confidence)
    return f"{name}  {stars} {prediction.rating:>2}/10 ({near})  {sentiment}, {sure}"
