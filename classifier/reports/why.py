"""Why the models answered so, as pages show it: `why` of macros.html.jinja."""

from collections.abc import Callable
from dataclasses import dataclass

from classifier.explanation.quoting import quoted
from classifier.explanation.reasons import Explanation, Pull
from classifier.modeling.pooling import Pooling

_QUOTED = 120  # characters of a sentence


@dataclass(frozen=True)
class Words:
    """The page's words, in its language."""

    title: str
    title_words: str  # of a text of one sentence, which is explained by words
    rests_on: str  # what stands before the sentence that the sentiment rests on
    nothing: str
    differ: str
    points: Callable[[float], str]  # a pull, with its sign


@dataclass(frozen=True)
class Why:
    """Plain text, which the page escapes."""

    title: str
    models: dict[Pooling, list[tuple[str, str]]]
    """By pooling: the points (or what stands for them) and the piece of the review."""
    nothing: str  # is said of a model without any
    differ: str  # empty where the models rest on the same
    rest_on: dict[Pooling, str]  # the piece that each rests on, where they differ


def why(explanation: Explanation, words: Words) -> Why:
    """What pulls each model's rating up and down, and where the two rest on different pieces."""
    models = {
        pooling: [(_arrow(pull, words), _quoted(pull)) for pull in reasons.shown]
        + [(words.rests_on, _quoted(pull)) for pull in [reasons.rests_on] if pull]
        for pooling, reasons in explanation.by_model.items()
    }
    rest_on = {
        pooling: _quoted(reasons.decisive)
        for pooling, reasons in explanation.by_model.items()
        if explanation.differ and reasons.decisive
    }
    is_of_words = explanation.units.kind == "words"
    return Why(
        words.title_words if is_of_words else words.title,
        models,
        words.nothing,
        words.differ if explanation.differ else "",
        rest_on,
    )


def _arrow(pull: Pull, words: Words) -> str:
    return f"{'▲' if pull.rating > 0 else '▼'}\u00a0{words.points(pull.rating)}"


def _quoted(pull: Pull) -> str:
    return quoted(pull.text, _QUOTED)
