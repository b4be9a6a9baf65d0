"""Figures as tables for the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Column, Table

from classifier.evaluation.figures import (
    METRICS,
    POOLING_NAMES,
    absent_note,
    figure,
    interval,
    metrics_of,
)

_FALLS = {
    "named": "without the named sentence",
    "random": "without a random one of like length",
    "named_alone": "with the named sentence alone",
    "random_alone": "with a random one of like length alone",
}


def print_figures(console: Console, figures: dict[str, Any], title: str) -> None:
    """Both models' figures with 95 % intervals, by class, confused with what, and the verdict."""
    models = {name: figures[pooling] for pooling, name in POOLING_NAMES.items()}
    rows, rated = figures["cls"]["rows"], figures["cls"].get("rated_rows", 0)
    absent = absent_note(figures["cls"].get("absent_classes", ()))
    console.print(f"\n{title}: {rows:,} reviews{absent}, {rated:,} with a rating", style="bold")
    console.print(_main_figures(models))
    console.print(_figures_by_class(models))
    for name, of_model in models.items():
        console.print(_confusion(name, of_model))
    for line in _verdicts(figures):
        console.print(line, style="bold", highlight=False, soft_wrap=True)


def print_versus(console: Console, comparison: dict[str, Any]) -> None:
    """The verdict on two versions, a line a pooling."""
    for pooling, compared in comparison.items():
        line = f"{POOLING_NAMES[pooling]}: {compared['verdict']}"
        console.print(line, style="bold", highlight=False, soft_wrap=True)


def print_faithfulness(console: Console, figures: dict[str, Any]) -> None:
    """Whether the sentence that a model is said to rest on moves its answer more than another."""
    _print_deletions(console, figures)
    made_up = figures["made_up"]
    for measure, words in (("named", "named among others"), ("first", "the one that pulls most")):
        shares = [
            f"{name} {_with_interval(made_up[key][measure])}[/]"
            for key, name in (*POOLING_NAMES.items(), ("both", "both"))
        ]
        console.print(
            f"Of {made_up['texts']:,} made-up texts, the share in which the only sentence that "
            f"judges is {words}: {', '.join(shares)}; by chance "
            f"{figure(made_up['chance'][measure]['mean'])}.",
            highlight=False,
            soft_wrap=True,
        )


def _print_deletions(console: Console, figures: dict[str, Any]) -> None:
    if not figures["reviews"]:
        console.print("None of these reviews has two sentences.")
        return
    names = {pooling: name for pooling, name in POOLING_NAMES.items() if pooling in figures}
    title = f"What the answer rests on: {figures['reviews']:,} reviews"
    columns = [f"{name} [dim](95 % interval)" for name in names.values()]
    table = Table("probability of the answer falls …", *columns, title=title, title_justify="left")
    for measure, words in _FALLS.items():
        table.add_row(words, *(_with_interval(figures[pooling][measure]) for pooling in names))
    times = [figures[pooling]["times_as_far"] for pooling in names]
    table.add_row("times as far as at random", *(figure(value) for value in times))
    console.print(table)
    same = _with_interval(figures["same_sentence"])
    console.print(f"Both models name the same sentence in {same} of the reviews.", highlight=False)


def _with_interval(value: dict[str, Any]) -> str:
    ends = value["interval"]
    return f"{figure(value['mean'])} [dim]({figure(ends[0])} to {figure(ends[1])})"


def print_board(console: Console, board: dict[str, Any], facts: dict[str, dict[str, Any]]) -> None:
    """A leaderboard: a line a model, the best macro F1 first, and the verdicts."""
    known = board["models"][0]["figures"]
    encoder = Column("encoder", overflow="fold", min_width=14)
    table = Table(encoder, "pooling", box=None, padding=(0, 1, 0, 0))
    for name in known:
        table.add_column(METRICS[name].name, no_wrap=True, justify="right")
    for heading in ("size", "training", "answer"):
        table.add_column(heading, no_wrap=True, justify="right")
    for model in board["models"]:
        of_pooling = facts[model["encoder"]][model["pooling"]]
        cells = map(figure, model["figures"].values())
        size, seconds = f"{of_pooling['parameters'] / 1e6:.1f} M", f"{of_pooling['seconds']:,.0f} s"
        answer = f"{of_pooling['milliseconds']:.1f} ms"
        name = POOLING_NAMES[model["pooling"]]
        table.add_row(model["encoder"], name, *cells, size, seconds, answer)
    console.print(table)
    if board["unlearnt"]:
        console.print(board["unlearnt"], style="bold yellow", highlight=False, soft_wrap=True)
    for verdict in (board["overall"]["verdict"], board["dependence"]["verdict"]):
        console.print(verdict, style="bold", highlight=False, soft_wrap=True)


def _main_figures(models: dict[str, dict[str, Any]]) -> Table:
    table = Table("", *(f"{name} [dim](95 % interval)" for name in models))
    for key, metric in metrics_of(models.values()).items():
        cells = []
        for of_model in models.values():
            ends = interval(of_model, key)
            cells.append(figure(of_model.get(key)) + (f" [dim]({ends})" if ends else ""))
        table.add_row(metric.name, *cells)
    return table


def _figures_by_class(models: dict[str, dict[str, Any]]) -> Table:
    table = Table("class", "reviews", *(f"{name} {m}" for name in models for m in ("P", "R", "F1")))
    first, *_ = models.values()
    for sentiment, of_class in first["per_class"].items():
        cells = [
            figure(of_model["per_class"][sentiment][measure])
            for of_model in models.values()
            for measure in ("precision", "recall", "f1")
        ]
        table.add_row(sentiment, figure(of_class["support"]), *cells)
    return table


def _confusion(name: str, of_model: dict[str, Any]) -> Table:
    sentiments = list(of_model["per_class"])
    table = Table(f"{name}: true", *(f"as {sentiment}" for sentiment in sentiments))
    for sentiment, counts in zip(sentiments, of_model["confusion"], strict=True):
        table.add_row(sentiment, *map(figure, counts))
    return table


def _verdicts(figures: dict[str, Any]) -> list[str]:
    comparison = figures["comparison"]
    agreement = f"The models agree on {comparison['sentiment_agreement']:.1%} of the sentiments"
    if "rating_agreement_exact" in comparison:
        agreement += f" and {comparison['rating_agreement_exact']:.1%} of the ratings"
    lines = [f"{agreement}.", comparison["verdict"]]
    if "seeds" in figures:
        lines.append(figures["seeds"]["verdict"])
    return lines
