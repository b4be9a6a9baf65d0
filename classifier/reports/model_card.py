"""README.md of a model version and of its model folders: what the hub calls a model card.

The front matter follows https://huggingface.co/docs/hub/model-cards, so that either model folder
can be pushed to a hub as it is. Every figure comes from metrics.json and training.json.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.repocard_data import eval_results_to_model_index
from markupsafe import Markup

from classifier.data.hub_reviews import REPOSITORY
from classifier.evaluation.figures import METRICS, POOLING_TITLES, figure, interval, metrics_of
from classifier.labels import SENTIMENTS
from classifier.reports.templates import one_line, template

_MEANINGS = {
    "cls": "the vector of the first token, [CLS]",
    "mean": "the mean of the vectors of all tokens, padding left out",
}
# The figures of the front matter, by the hub's names for metrics.
_METRIC_TYPES = {"accuracy": "accuracy", "weighted_f1": "f1", "macro_f1": "f1", "rating_mae": "mae"}


def model_card(
    training: dict[str, Any],
    metrics: dict[str, Any],
    poolings: Sequence[str] = ("cls", "mean"),
    *,
    repository: str | None = None,
    root: str | None = None,
) -> str:
    """The card of a version or of one of its model folders, from its training and metrics.

    In a `repository` of the hub, owner/name, it says what is where: at the root the model of the
    pooling `root`.
    """
    figures = [metrics[pooling] for pooling in poolings]
    return template(Path(__file__).with_name("model_card.md.jinja")).render(
        front_matter=Markup(_front_matter(poolings, training, metrics)),
        models={pooling: metrics[pooling] for pooling in poolings},
        unstripped=metrics.get("unstripped", {}),
        titles=[POOLING_TITLES[pooling] for pooling in poolings],
        meanings=_MEANINGS,
        training=training,
        table=[
            (metric.full_title, [_with_interval(of_model, name) for of_model in figures])
            for name, metric in metrics_of(figures).items()
        ],
        sentiments=SENTIMENTS,
        verdict=metrics.get("comparison", {}).get("verdict"),
        repository=None if repository is None else Markup(repository),  # a name, no Markdown
        root=None if root is None else POOLING_TITLES[root],
    )


def _front_matter(
    poolings: Sequence[str], training: dict[str, Any], metrics: dict[str, Any]
) -> str:
    from_hub = training["reviews"]["source"] == "hub"
    data = ModelCardData(
        language="ru",
        license="mit",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["sentiment-analysis", "film-reviews", *(f"{name}-pooling" for name in poolings)],
        datasets=[REPOSITORY] if from_hub else None,
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
            dataset_type=REPOSITORY if from_hub else "local",
            dataset_name=REPOSITORY if from_hub else one_line(Path(source).name),
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
