"""Each benchmark's table: the terminal shows it, and README has it between two markers.

A figure that is unknown is None, and a dash in a table.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as TerminalTable

from benchmarks.kinds import KINDS, kind_of
from classifier.errors import ClassifierError
from classifier.evaluation.figures import METRICS, POOLING_TITLES, signed

BEGIN = "<!-- python -m benchmarks tables: from here on it is generated -->"
END = "<!-- up to here -->"

Document = dict[str, Any]  # as `results.Results` writes it
Column = Callable[[dict[str, Any]], str]  # from an arm's summary to its cell


@dataclass(frozen=True)
class Table:
    """A line for each arm; `details` are columns and `notes` a sentence for the terminal alone."""

    caption: str
    arms: dict[str, dict[str, Any]]  # the summary of each
    columns: dict[str, Column]
    details: dict[str, Column] = field(default_factory=dict)
    notes: str = ""

    def markdown(self) -> str:
        """The caption and the table for README."""
        rule = ["---", *["---:"] * len(self.columns)]
        lines = [["", *self.columns], rule, *self._lines(self.columns)]
        return self.caption + "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def show(self, console: Console) -> None:
        """Print the table with its details, then the caption and the notes."""
        columns = self.columns | self.details
        table = TerminalTable()
        table.add_column("arm", no_wrap=True)
        for title in columns:
            table.add_column(title, justify="right")
        for line in self._lines(columns):
            table.add_row(*line)
        console.print(table)
        console.print(f"{self.caption} {self.notes}".strip(), highlight=False, markup=False)

    def _lines(self, columns: dict[str, Column]) -> list[list[str]]:
        cells = columns.values()
        return [[name, *(cell(arm) for cell in cells)] for name, arm in self.arms.items()]


def table_of(document: Document) -> Table:
    """The table of a benchmark's results."""
    return _TABLES[document["benchmark"]](document)


def with_tables(readme: str, results: Path) -> str:
    """README's text with its tables made anew; ClassifierError where a marker is missing."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ClassifierError(f"The README has no line {BEGIN if not begin else END}")
    sections = [section for name in _TABLES for section in _sections(name, results)]
    return before + "\n\n".join([BEGIN, *sections, END]) + after


def _sections(name: str, results: Path) -> list[str]:
    """A benchmark's tables: of speed one for each kind of machine, of others for each pair."""
    if name in ("quality", "feedback"):
        files = sorted((results / name).glob("*.json"))
    else:
        kinds = {file: file.parent.name for file in sorted(results.glob(f"*/{name}.json"))}
        order = [*KINDS, *sorted(set(kinds.values()) - set(KINDS))]
        files = sorted(kinds, key=lambda file: order.index(kinds[file]))
    if not files:
        return [f"Not measured yet: `python -m benchmarks {_COMMANDS.get(name, name)}`."]
    return [table_of(json.loads(file.read_bytes())).markdown() for file in files]


def _training(document: Document) -> Table:
    summary, rows = document["summary"], document["rows"]
    arms, gemm = summary["arms"], summary["gemm"]
    notebook = arms.get("notebook", {}).get("reviews_per_second")
    arithmetic = document["machine"]["arithmetic"]
    return Table(
        f"**Training on {_kind(document)}**, reviews a second and pooling ({_machine(document)}; "
        f"`{document['command']}`; {rows['rows']:,} reviews, {rows['median_characters']:,} "
        f"characters in the median). Both poolings of ours: "
        f"{times(summary['ours_to_notebook'])} the notebook's recipe, "
        f"{times(summary['ours_to_trainer'])} `transformers.Trainer` at its best. TF-IDF and "
        f"logistic regression fit all of them in "
        f"{number(arms.get('TF-IDF', {}).get('fit_seconds'), 1)} s. The share of the "
        "GEMM counts CLS pooling's last layer in full, of which ours computes one token.",
        {name: arm for name, arm in arms.items() if arm["reviews_per_second"] is not None},
        {
            "reviews/s": lambda arm: number(arm["reviews_per_second"], 1),
            "to the notebook": lambda arm: times(ratio(arm["reviews_per_second"], notebook)),
            f"of {arithmetic} GEMM": lambda arm: percent(arm.get("share_of_gemm")),
            "peak MB": lambda arm: number(arm["peak_mb"]),
        },
        {
            "of layers' GEMM": lambda arm: percent(arm.get("share_of_layers_gemm")),
            "loss": lambda arm: f"{number(arm['first_loss'], 2)} → {number(arm['last_loss'], 2)}",
        },
        f"GEMM: {number(gemm['square_gflops'])} GFLOP/s square, "
        f"{number(gemm['layers_gflops'])} in the layers' shapes.",
    )


def _serving(document: Document) -> Table:
    summary, rows = document["summary"], document["rows"]
    trained_on = rows["trained_on"]
    return Table(
        f"**Answers on {_kind(document)}**, of both models ({_machine(document)}; "
        f"`{document['command']}`; {rows['rows']:,} reviews of {rows['median_characters']:,} "
        f"characters in the median{_shares(rows)}). "
        f"Cold start of `predict`: {number(summary['cold_start_seconds'], 1)} s. "
        f"The bot holds {number(summary['bot_resident_mb'])} MB."
        + (f" {trained_on:,} of the reviews were trained on." if trained_on else ""),
        summary["arms"],
        {
            "one review, p50 ms": lambda arm: number(arm["p50_ms"], 1),
            "p95 ms": lambda arm: number(arm["p95_ms"], 1),
            "of all cores, ms": lambda arm: number(arm.get("cpu_ms"), 1),
            "reviews/s at once": lambda arm: number(arm["reviews_per_second"], 1),
            "accuracy (CLS / mean)": lambda arm: " / ".join(
                percent(value, 1) for value in arm["accuracy"].values()
            ),
            "rating MAE": lambda arm: " / ".join(
                number(value, 2) for value in arm.get("rating_mae", {"both": None}).values()
            ),
            "peak MB": lambda arm: number(arm["peak_mb"]),
        },
        {
            "ours sooner": lambda arm: times(arm.get("ours_sooner")),
            "ours faster": lambda arm: times(arm.get("ours_faster")),
        },
        f"The reviews have {rows['median_tokens']:.0f} tokens in the median. The bot holds "
        f"{number(summary['bot_peak_mb'])} MB at its peak and answers in "
        f"{number(summary['bot_answer_p50_ms'])} ms.",
    )


def _quality(document: Document) -> Table:
    rows, settings = document["rows"], document["settings"]
    test = settings["test"]
    judged_on = test if isinstance(test, str) else f"{test['rows']:,} others"
    by_film = ", no film both learnt and judged" * (settings.get("split") == "film")
    source = rows if isinstance(test, str) else test
    return Table(
        f"**Quality** on held-out reviews{_shares(source)}{by_film}: mean and range over "
        f"{settings['seeds']} seeds ({_kind(document)}: {_machine(document)}; "
        f"`{document['command']}`; {rows['rows']:,} reviews to learn from, judged on {judged_on}, "
        f"written ratings stripped; encoder: {settings['encoder']}).",
        document["summary"]["arms"],
        {
            **_metric("accuracy", 1, as_percent=True),
            **_metric("macro_f1", 3),
            "Neutral's F1": lambda arm: spread(arm.get("neutral_f1"), 3),
            **_metric("rating_mae", 2),
            "seconds to train, at best": lambda arm: number(
                (arm["train_seconds"] or {}).get("low")
            ),
        },
        {
            **_metric("weighted_f1", 3),
            "peak MB": lambda arm: number((arm["peak_mb"] or {}).get("mean")),
        },
    )


def _load(document: Document) -> Table:
    rows, settings = document["rows"], document["settings"]
    bound = number(settings["bound_ms"] / 1000, 1)
    rate = settings.get("rate")
    what = (
        f"the highest rate at which 95 % are answered within {bound} s"
        if rate is None
        else f"at {number(rate, 1)} reviews a second, held where 95 % are answered within {bound} s"
    )
    is_retraining = document["benchmark"] == "retraining"
    title = "A retraining beside answers" if is_retraining else "Load"
    lasts = "until it ends" if is_retraining else f"{number(settings['seconds'])} s a run"
    retraining: dict[str, Column] = {
        "retrained in s": lambda arm: number(arm.get("retraining_seconds")),
        "to an idle bot's": lambda arm: times(arm.get("retraining_to_alone")),
    }
    return Table(
        f"**{title} on {_kind(document)}**, from outside, Poisson: {what} "
        f"({_machine(document)}; `{document['command']}`; {rows['rows']:,} reviews, "
        f"each one message, of {rows['median_characters']:,} characters in the median; "
        f"{lasts}). "
        "Telegram takes 30 messages a second from a bot. In short: how many reviews were not read "
        "to the end, because others waited; CPU: of the bot, for each review.",
        document["summary"]["arms"],
        {
            "reviews/s held": lambda arm: number(
                arm["rate"] if arm["held"] and arm["rate"] else None, 1
            ),
            "p50 ms": lambda arm: number(arm.get("p50_ms")),
            "p95 ms": lambda arm: number(arm.get("p95_ms")),
            "waiting at most": lambda arm: number(arm.get("longest_queue")),
            "in short": lambda arm: percent(arm.get("in_short")),
            "CPU ms": lambda arm: number(arm.get("cpu_ms"), 1),
            "MB": lambda arm: number(arm.get("resident_mb")),
            **(retraining if is_retraining else {}),
        },
        {
            "answered": lambda arm: f"{number(arm.get('answered'))}/{number(arm.get('sent'))}",
            "reasons": lambda arm: f"{number(arm.get('explained'))}/{number(arm.get('asked_why'))}",
        },
    )


def _feedback(document: Document) -> Table:
    settings = document["settings"]
    judged = " and ".join(POOLING_TITLES[name] for name in settings["poolings"])

    def last(name: str, digits: int) -> Column:
        return lambda arm: number(arm["curve"][-1][name]["mean"] if arm["curve"] else None, digits)

    def by_taps(name: str, digits: int) -> Column:
        return lambda arm: " → ".join(number(at[name]["mean"], digits) for at in arm["curve"])

    def to_random(name: str) -> Column:
        return lambda arm: gain(arm["to_random"].get(name, {}))

    digits = {"accuracy": 3, "macro_f1": 3, "rating_mae": 2}
    return Table(
        f"**Feedback**: what {settings['rounds']} rounds of {settings['taps']} ratings teach, by "
        f"how the reviews to ask for are chosen of {settings['sent']} sent in each "
        f"({_kind(document)}: {_machine(document)}; `{document['command']}`; "
        f"{settings['start']} reviews to start from, judged on {settings['test']['rows']:,} "
        f"others, {settings['tokens']} tokens of each, {judged}, mean of "
        f"{settings['seeds']} seeds; encoder: {settings['encoder']}). To random: the mean over the "
        "rounds, with Student's 95 % interval over the seeds.",
        document["summary"]["arms"],
        {
            **{METRICS[name].name: last(name, shown) for name, shown in digits.items()},
            **{f"{METRICS[name].name} to random": to_random(name) for name in digits},
        },
        {f"{METRICS[name].name} by round": by_taps(name, shown) for name, shown in digits.items()},
    )


def _metric(name: str, digits: int, *, as_percent: bool = False) -> dict[str, Column]:
    """The column of a metric over the seeds, by its title."""
    return {METRICS[name].name: lambda arm: spread(arm[name], digits, as_percent=as_percent)}


_COMMANDS = {"retraining": "load --whole-retraining --rate 5"}  # of those that aren't their names
_TABLES = {
    "training": _training,
    "serving": _serving,
    "load": _load,
    "retraining": _load,
    "quality": _quality,
    "feedback": _feedback,
}


def _kind(document: Document) -> str:
    """Figures of different kinds can't be compared."""
    machine = document["machine"]
    return kind_of(machine) + ", emulated" * bool(machine.get("emulated"))


def _machine(document: Document) -> str:
    machine = document["machine"]
    where = machine["cpu"] if machine["device"] == "cpu" else machine["device"]
    load = machine.get("load") or 0
    busy = f", {number(load, 1)} other processes at work when it began" * (load >= 1)
    return f"{machine['cores']} cores of {where}, {machine['arithmetic']}{busy}"


def _shares(rows: dict[str, Any]) -> str:
    """The shares of the sentiments; nothing in results of a time when they weren't noted."""
    shares = [f"{percent(share, 1)} {name}" for name, share in rows.get("shares", {}).items()]
    return f", {', '.join(shares)}" if shares else ""


def ratio(value: float | None, to: float | None) -> float | None:
    """How many times `to` the value is, unless either is unknown."""
    return value / to if value is not None and to else None


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """1,234.5 and its unit, or a dash."""
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def times(value: float | None) -> str:
    """9.6×, or a dash."""
    return number(value, 1, "×")


def percent(value: float | None, digits: int = 0) -> str:
    """12 % for 0.12, or a dash."""
    return number(None if value is None else 100 * value, digits, " %")


def spread(figure: dict[str, float] | None, digits: int, *, as_percent: bool = False) -> str:
    """0.633 (0.629-0.640), or a dash; without the range where all seeds agree."""
    if figure is None:
        return number(None)
    scale, unit = (100, " %") if as_percent else (1, "")
    mean = number(figure["mean"] * scale, digits, unit)
    low, high = (number(figure[end] * scale, digits) for end in ("low", "high"))
    return mean if low == high else f"{mean} ({low}-{high})"


def gain(figure: dict[str, float | None]) -> str:
    """+0.012 (-0.003 to +0.027), or a dash; without the interval of a single seed.

    A dash, too, for what is compared with itself.
    """
    mean, low, high = (figure.get(name) for name in ("mean", "low", "high"))
    if mean is None or low == mean == high == 0:
        return number(None)
    interval = "" if low is None or high is None else f" ({signed(low)} to {signed(high)})"
    return signed(mean) + interval
