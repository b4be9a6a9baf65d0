"""The message that /stats answers with: the verdict first, then what it rests on."""

from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING

from bot.services.comparison import ENOUGH, ENOUGH_USERS, Comparison
from bot.services.periods import Span
from bot.services.statistics import AnswerFigures, Overview, PoolingFigures, share
from bot.texts import statistics as phrases
from bot.texts import terms
from bot.texts.locale import Locale, Phrase
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import NEAR

if TYPE_CHECKING:  # imports numpy
    from classifier.evaluation.resampling import Difference

_LABEL, _FIGURE = 14, 7  # characters of the table's columns: together they fit a phone
_MOST_VERSIONS = 5


def stats_message(overview: Overview, locale: Locale) -> str:
    written = overview.written
    title = f"<b>{locale(phrases.TITLE, span=locale(terms.SPANS[overview.span.name]))}</b>"
    if not overview.poolings:
        return f"{title}\n\n{locale(phrases.NOTHING)}"
    coverage = locale.percent(share(written.rated, written.reviews))
    counts = {"reviews": written.reviews, "users": written.users, "answered": written.rated}
    totals = locale(phrases.TOTALS, coverage=coverage, **counts)
    blocks = [
        f"{title}\n{totals}",
        # The table is a block with room around it: no blank lines there.
        f"<b>{verdict(overview.comparison, locale)}</b>\n"
        f"<pre>{escape(_table(overview, locale))}</pre>\n{_pairs(overview, locale)}",
        _who(overview, locale),
        _in_short(overview, locale),
        _versions(overview, locale),
        f"<i>{escape(locale(phrases.EXPLAINED))}</i>",
    ]
    return "\n\n".join(block for block in blocks if block)


def chart_caption(span: Span, locale: Locale) -> str:
    window = phrases.CHART_DAY if span.name == "24h" else phrases.CHART_WEEK
    return locale(phrases.CHART_CAPTION, window=locale(window))


def verdict(comparison: Comparison, locale: Locale) -> str:
    """Which model is better, in one sentence."""
    if comparison.answers < ENOUGH:
        return locale(phrases.TOO_FEW, answers=comparison.answers, enough=ENOUGH)
    if comparison.users < ENOUGH_USERS:
        return locale(phrases.TOO_FEW_USERS, users=comparison.users, enough=ENOUGH_USERS)
    at_sentiment = POOLING_NAMES.get(comparison.better_at_sentiment or "")
    at_rating = POOLING_NAMES.get(comparison.better_at_rating or "")
    if at_sentiment is None and at_rating is None:
        return locale(phrases.ALIKE)
    if at_rating is None:
        return locale(phrases.BETTER_AT_SENTIMENT, model=at_sentiment)
    if at_sentiment is None:
        return locale(phrases.BETTER_AT_RATING, model=at_rating)
    if at_sentiment == at_rating:
        return locale(phrases.BETTER_AT_BOTH, model=at_sentiment)
    return locale(phrases.SPLIT, sentiment_model=at_sentiment, rating_model=at_rating)


def _table(found: Overview, locale: Locale) -> str:
    def row(label: Phrase, figure: Callable[[PoolingFigures], str]) -> str:
        models = (found.poolings.get(pooling) for pooling in POOLING_NAMES)
        figures = ("–" if model is None else figure(model) for model in models)
        return _row(locale(label), *figures)

    def share_of(sentiment: int) -> Callable[[PoolingFigures], str]:
        return lambda model: locale.percent(model.sentiments[sentiment] / model.predictions)

    def figure(name: str, written: Callable[[float | None], str]) -> Callable[..., str]:
        return lambda model: written(model.answers.figures.get(name))

    # The table must not begin with blanks: Telegram trims them.
    rows = [_row(locale(terms.MODEL), *POOLING_NAMES.values())]
    rows += [row(terms.SENTIMENTS[sentiment], share_of(sentiment)) for sentiment in (2, 1, 0)]
    rows += [
        "",
        row(terms.ACCURACY, figure("accuracy", locale.percent)),
        row(phrases.MACRO_F1, figure("macro_f1", locale.decimal)),
        row(phrases.CALIBRATION, figure("ece", locale.decimal)),
        row(phrases.RATING_EXACT, figure("rating_exact", locale.percent)),
        row(phrases.RATING_WITHIN_ONE, figure("rating_within_1", locale.percent)),
        row(terms.RATING_MAE, figure("rating_mae", locale.decimal)),
        "",
        row(phrases.MEDIAN, lambda model: locale.whole(round(model.median_milliseconds))),
        row(phrases.P95, lambda model: locale.whole(round(model.p95_milliseconds))),
    ]
    return "\n".join(rows)


def _row(label: str, *figures: str) -> str:
    return f"{label:{_LABEL}}" + "".join(f"{figure:>{_FIGURE}}" for figure in figures)


def _pairs(overview: Overview, locale: Locale) -> str:
    pairs, comparison, lines = overview.pairs, overview.comparison, []

    def gap(phrase: Phrase, found: "Difference", written: Callable[[float], str]) -> str:
        low, high = written(found.low), written(found.high)
        return locale(phrase, difference=written(found.difference), low=low, high=high)

    if pairs.reviews:
        sentiment = locale.percent(pairs.same_sentiment / pairs.reviews)
        same, near = (locale.percent(share(pairs.within(n), pairs.rated)) for n in (0, NEAR))
        lines.append(locale(phrases.AGREEMENT, sentiment=sentiment, rating=same, within_one=near))
    if comparison.accuracy is not None:
        users, p = pairs.all_users, escape(locale.p_value(comparison.accuracy.p))
        cls, mean = users.only_cls_right, users.only_mean_right
        lines.append(locale(phrases.ONLY_ONE_RIGHT, cls=cls, mean=mean, p=p))
        lines.append(gap(phrases.ACCURACY_DIFFERENCE, comparison.accuracy, locale.points))
    if comparison.mae is not None:
        lines.append(gap(phrases.MAE_DIFFERENCE, comparison.mae, locale.signed))
    return "\n".join(lines)


def _who(found: Overview, locale: Locale) -> str:
    models = found.poolings
    others = _answers({name: model.others for name, model in models.items()}, locale)
    asked = max((model.answers.count for model in models.values()), default=0)
    lines = [locale(phrases.ASKED, count=locale.whole(asked))]
    if others:
        lines += [locale(phrases.OTHERS, **others), locale(phrases.BIAS)]
    if found.written.called_wrong:
        lines.append(locale(phrases.CALLED_WRONG, wrong=found.written.called_wrong))
    return "\n".join(lines)


def _in_short(found: Overview, locale: Locale) -> str:
    """How many were read in short, and how good the models are at these."""
    models = found.poolings
    reviews = max((model.predictions_in_short for model in models.values()), default=0)
    if not reviews:
        return ""
    part = locale.percent(share(reviews, found.pairs.reviews))
    line = locale(phrases.IN_SHORT, reviews=locale.whole(reviews), share=part)
    figures = _answers({name: model.in_short for name, model in models.items()}, locale)
    return f"{line} {locale(phrases.IN_SHORT_RATED, **figures)}" if figures else line


def _versions(found: Overview, locale: Locale) -> str:
    """The newest ones, where there are several."""
    models = found.poolings
    versions = sorted({version for model in models.values() for version in model.versions})
    if len(versions) < 2:
        return ""
    mixed = any(model.predictions_in_short for model in models.values())
    lines = [locale(phrases.VERSIONS_IN_WHOLE if mixed else phrases.VERSIONS)]
    for version in versions[: -_MOST_VERSIONS - 1 : -1]:
        answers = {name: model.versions.get(version) for name, model in models.items()}
        figures = _answers(answers, locale)
        lines.append(locale(phrases.VERSION, version=escape(version), **figures))
    return "\n".join(lines)


def _answers(by_pooling: Mapping[str, AnswerFigures | None], locale: Locale) -> dict[str, str]:
    """How many, and both models' figures; empty if there are none."""
    most = max((answers.count for answers in by_pooling.values() if answers), default=0)
    if not most:
        return {}
    figures = {"count": locale.whole(most)}
    for pooling, name in POOLING_NAMES.items():
        answers = by_pooling.get(pooling)
        written = "–"
        if answers is not None and answers.count:
            accuracy = locale.percent(answers.figures.get("accuracy"))
            mae = locale.decimal(answers.figures.get("rating_mae"))
            written = locale(phrases.ACCURACY_AND_MAE, accuracy=accuracy, mae=mae)
        figures[pooling] = f"{name} {written}"
    return figures
