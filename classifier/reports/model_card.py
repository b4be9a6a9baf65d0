"""README.md of a model version and of its model folders: what the hub calls a model card.

The front matter follows https://huggingface.co/docs/hub/model-cards, so that either model folder
can be pushed to a hub as it is. Every figure comes from metrics.json and training.json.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.repocard_data import eval_results_to_model_index
from markupsafe import Markup

from classifier.evaluation.figures import METRICS, POOLING_TITLES, figure, interval, metrics_of
from classifier.labels import SENTIMENTS

HUB_REVIEWS = "blinoff/kinopoisk"

_MEANINGS = {
    "cls": "the vector of the first token, [CLS]",
    "mean": "the mean of the vectors of all tokens, padding left out",
}
# The figures of the front matter, by the hub's names for metrics.
_METRIC_TYPES = {
    "accuracy": "accuracy",
    "weighted_f1": "f1",
    "macro_f1": "f1",
    "rating_mae": "mae",
}
_MARKDOWN = re.compile(r"[\\`*\[\]<>|~$&#]|(?<!\w)_|_(?!\w)")


def version_card(training: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The card of a whole version, from its training.json and metrics.json."""
    return _card(["cls", "mean"], training, metrics)


def pooling_card(pooling: str, training: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The card of one of a version's model folders, "cls" or "mean"."""
    return _card([pooling], training, metrics)


def _card(poolings: list[str], training: dict[str, Any], metrics: dict[str, Any]) -> str:
    figures = [metrics[pooling] for pooling in poolings]
    return _template().render(
        front_matter=Markup(_front_matter(poolings, training, metrics)),
        title=" and ".join(POOLING_TITLES[pooling] for pooling in poolings),
        models=[
            {
                "pooling": pooling,
                "title": POOLING_TITLES[pooling],
                "meaning": _MEANINGS[pooling],
                "figures": metrics[pooling],
            }
            for pooling in poolings
        ],
        training=training,
        table=[
            (metric.full_title, [_with_interval(of_model, name) for of_model in figures])
            for name, metric in metrics_of(figures).items()
        ],
        sentiments=SENTIMENTS,
        verdict=metrics.get("comparison", {}).get("verdict"),
    )


def _front_matter(poolings: list[str], training: dict[str, Any], metrics: dict[str, Any]) -> str:
    from_hub = training["reviews"]["source"] == "hub"
    data = ModelCardData(
        language="ru",
        license="mit",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=[
            "sentiment-analysis",
            "film-reviews",
            *(f"{pooling}-pooling" for pooling in poolings),
        ],
        datasets=[HUB_REVIEWS] if from_hub else None,
        base_model=_hub_id(training["encoder"]),
    )
    data["model-index"] = [
        entry
        for pooling in poolings
        for entry in eval_results_to_model_index(
            f"kinorate-{pooling}", _results(training, metrics[pooling])
        )
    ]
    return data.to_yaml()


def _hub_id(encoder: dict[str, Any]) -> str | None:
    """The encoder's name where the hub knows it by that name, and it was the one trained."""
    name = str(encoder["name"])
    is_id = re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name) and not Path(name).is_dir()
    return name if is_id and not encoder["stand_in"] else None


def _results(training: dict[str, Any], figures: dict[str, Any]) -> list[EvalResult]:
    source = training.get("holdout", training["reviews"])["source"]
    from_hub = source == "hub"
    return [
        EvalResult(
            task_type="text-classification",
            dataset_type=HUB_REVIEWS if from_hub else "local",
            dataset_name=HUB_REVIEWS if from_hub else _one_line(Path(source).name),
            dataset_split="holdout",
            metric_type=metric_type,
            metric_name=METRICS[name].title,
            metric_value=figures[name],
        )
        for name, metric_type in _METRIC_TYPES.items()
        if figures.get(name) is not None
    ]


def _with_interval(figures: dict[str, Any], name: str) -> str:
    ends = interval(figures, name)
    return figure(figures.get(name)) + (f" ({ends})" if ends else "")


def _listed(items: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else figure(value)}"
        for name, value in items.items()
    )


def _plain(value: object) -> object:
    """Text that Markdown shows as it is, on one line; `Markup` passes unchanged."""
    if isinstance(value, Markup):
        return value
    return _MARKDOWN.sub(r"\\\g<0>", _one_line(str(value)))


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # that would be HTML's; `_plain` is Markdown's
        finalize=_plain,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"figure": figure, "listed": _listed}
    return environment.get_template("model_card.md.jinja")
