"""The message that /stats answers with: the verdict first, then what it rests on."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from bot.services.comparison import ENOUGH, ENOUGH_USERS, Comparison
from bot.services.statistics import AnswerFigures, Overview, PoolingFigures, share
from bot.texts.statistics import StatisticsTexts
from bot.texts.texts import Texts
from bot.views.numbers import Numbers
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import NEAR

if TYPE_CHECKING:  # imports numpy
    from classifier.evaluation.resampling import Difference

_LABEL, _FIGURE = 14, 7  # characters of the table's columns: together they fit a phone
_MOST_VERSIONS = 5


def stats_message(overview: Overview, texts: Texts, said: StatisticsTexts) -> str:
    numbers, written = Numbers(said), overview.written
    title = f"<b>{said.title(overview.span.name)}</b>"
    if not overview.poolings:
        return f"{title}\n\n{said.nothing}"
    totals = said.totals.format(
        reviews=numbers.whole(written.reviews),
        users=numbers.whole(written.users),
        answered=numbers.whole(written.rated),
        coverage=numbers.percent(share(written.rated, written.reviews)),
    )
    blocks = [
        f"{title}\n{totals}",
        # The table is a block with room around it: no blank lines there.
        f"<b>{verdict(overview.comparison, said)}</b>\n"
        f"<pre>{escape(_table(overview, texts, numbers))}</pre>\n{_pairs(overview, numbers)}",
        _who(overview, numbers),
        _versions(overview, numbers),
        f"<i>{escape(said.explained)}</i>",
    ]
    return "\n\n".join(block for block in blocks if block)


def verdict(comparison: Comparison, said: StatisticsTexts) -> str:
    """Which model is better, in one sentence."""
    if comparison.answers < ENOUGH:
        return said.too_few.format(answers=comparison.answers, enough=ENOUGH)
    if comparison.users < ENOUGH_USERS:
        return said.too_few_users.format(users=comparison.users, enough=ENOUGH_USERS)
    at_sentiment, at_rating = (
        pooling and POOLING_NAMES[pooling]
        for pooling in (comparison.better_at_sentiment, comparison.better_at_rating)
    )
    if at_sentiment is None and at_rating is None:
        return said.alike
    if at_rating is None:
        return said.better_at_sentiment.format(model=at_sentiment)
    if at_sentiment is None:
        return said.better_at_rating.format(model=at_rating)
    if at_sentiment == at_rating:
        return said.better_at_both.format(model=at_sentiment)
    return said.split.format(sentiment_model=at_sentiment, rating_model=at_rating)


def _table(found: Overview, texts: Texts, numbers: Numbers) -> str:
    said = numbers.texts

    def row(label: str, figure: Callable[[PoolingFigures], str]) -> str:
        models = (found.poolings.get(pooling) for pooling in POOLING_NAMES)
        figures = ("–" if model is None else figure(model) for model in models)
        return _row(label, *figures)

    def share_of(sentiment: int) -> Callable[[PoolingFigures], str]:
        return lambda model: numbers.percent(model.sentiments[sentiment] / model.predictions)

    # Not blank in front: Telegram trims that.
    rows = [_row(said.model, *POOLING_NAMES.values())]
    rows += [row(texts.sentiment(sentiment), share_of(sentiment)) for sentiment in (2, 1, 0)]
    rows += [
        "",
        row(said.sentiment_right, lambda model: numbers.percent(model.answers.accuracy)),
        row(said.macro_f1, lambda model: numbers.decimal(model.answers.macro_f1)),
        row(said.calibration, lambda model: numbers.decimal(model.answers.calibration_error)),
        row(said.rating_exact, lambda model: numbers.percent(model.answers.rating_exact)),
        row(said.rating_within_one, lambda model: numbers.percent(model.answers.rating_within_one)),
        row(said.rating_mae, lambda model: numbers.decimal(model.answers.rating_mae)),
        "",
        row(said.median, lambda model: numbers.whole(round(model.median_milliseconds))),
        row(said.p95, lambda model: numbers.whole(round(model.p95_milliseconds))),
    ]
    return "\n".join(rows)


def _row(label: str, *figures: str) -> str:
    return f"{label:{_LABEL}}" + "".join(f"{figure:>{_FIGURE}}" for figure in figures)


def _pairs(overview: Overview, numbers: Numbers) -> str:
    pairs, comparison, said = overview.pairs, overview.comparison, numbers.texts
    lines = []
    if pairs.reviews:
        lines.append(
            said.agreement.format(
                sentiment=numbers.percent(pairs.same_sentiment / pairs.reviews),
                rating=numbers.percent(share(pairs.within(0), pairs.rated)),
                within_one=numbers.percent(share(pairs.within(NEAR), pairs.rated)),
            )
        )
    if comparison.accuracy is not None:
        lines.append(
            said.only_one_right.format(
                cls=numbers.whole(pairs.all_users.only_cls_right),
                mean=numbers.whole(pairs.all_users.only_mean_right),
                p=escape(numbers.p(comparison.accuracy.p)),
            )
        )
        lines.append(_gap(said.accuracy_difference, comparison.accuracy, numbers.points))
    if comparison.mae is not None:
        lines.append(_gap(said.mae_difference, comparison.mae, numbers.signed))
    return "\n".join(lines)


def _gap(sentence: str, difference: "Difference", written: Callable[[float], str]) -> str:
    return sentence.format(
        difference=written(difference.difference),
        low=written(difference.low),
        high=written(difference.high),
    )


def _who(found: Overview, numbers: Numbers) -> str:
    said = numbers.texts
    models = found.poolings
    volunteered = _answers({name: model.volunteered for name, model in models.items()}, numbers)
    asked = _answers({name: model.asked for name, model in models.items()}, numbers)
    lines = []
    if volunteered:
        lines.append(said.volunteered.format(**volunteered))
    if asked:
        lines.append(said.asked.format(**asked))
    return "\n".join([*lines, said.bias] if volunteered else lines)


def _versions(found: Overview, numbers: Numbers) -> str:
    """The newest ones, where there are several."""
    models = found.poolings
    versions = sorted({version for model in models.values() for version in model.versions})
    if len(versions) < 2:
        return ""
    lines = [numbers.texts.versions]
    for version in versions[: -_MOST_VERSIONS - 1 : -1]:
        of_version = {
            name: model.versions[version]
            for name, model in models.items()
            if version in model.versions
        }
        figures = _answers(of_version, numbers)
        lines.append(numbers.texts.version.format(version=escape(version), **figures))
    return "\n".join(lines)


def _answers(by_pooling: dict[str, AnswerFigures], numbers: Numbers) -> dict[str, str]:
    """How many, and both models' figures; empty if there are none."""
    most = max((answers.count for answers in by_pooling.values()), default=0)
    if not most:
        return {}
    figures = {"count": numbers.whole(most)}
    for pooling, name in POOLING_NAMES.items():
        answers = by_pooling.get(pooling)
        written = "–"
        if answers is not None and answers.count:
            written = numbers.texts.accuracy_and_mae.format(
                accuracy=numbers.percent(answers.accuracy),
                mae=numbers.decimal(answers.rating_mae),
            )
        figures[pooling] = f"{name} {written}"
    return figures
