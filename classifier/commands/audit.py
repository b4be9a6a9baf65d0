"""`audit`: rows whose label is likely wrong, found by models that were not trained on them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier.commands.options import (
    DEFAULT_CACHE,
    Cache,
    Columns,
    EncoderName,
    Labels,
    Scale,
    try_outputs,
)
from classifier.data.hub import DEFAULT_ENCODER
from classifier.errors import ClassifierError, DiskFullError, Interrupted

if TYPE_CHECKING:
    from classifier.reports.audit import Suspect
    from classifier.training.experiment import Experiment
    from classifier.training.out_of_fold import OutOfFold

_GO_ON = "The same command goes on after the last whole epoch."


def audit(
    reviews: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="Whose labels to look at: a file (.jsonl, .csv or .parquet, each also .gz), hub, "
            "sample or auto.",
        ),
    ],
    encoder: EncoderName = DEFAULT_ENCODER,
    columns: Columns = "",
    labels: Labels = "",
    scale: Scale = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where audit.csv and audit.html are written.")
    ] = Path("audit"),
    cache: Cache = DEFAULT_CACHE,
) -> None:
    """Find rows whose label is likely wrong, the worst first, and the sentence that says so.

    Both models are trained three times, each time on two thirds of the reviews, and judge the rest
    beside a linear model of words: confident learning (https://arxiv.org/abs/1911.00068). Nothing
    is changed: a person decides. The same command goes on where it was interrupted.
    """
    from classifier.commands.quiet import quiet_libraries
    from classifier.data.schema import Schema
    from classifier.reports.audit import write_page, write_table
    from classifier.training.checkpoint import RunFolder
    from classifier.training.console import CommandConsole
    from classifier.training.distributed import training_group
    from classifier.training.experiment import prepare
    from classifier.training.experiment_data import read_data
    from classifier.training.out_of_fold import RECIPE, out_of_fold
    from classifier.training.settings import RunContext, Settings

    quiet_libraries()
    try_outputs(None, out)
    schema = Schema(columns, labels, scale)
    settings = Settings(reviews, encoder, RECIPE, schema=schema, seed=seed)
    console = CommandConsole()
    with training_group() as group:
        if group.size > 1:
            raise ClassifierError("An audit is made by one process, without torchrun.")
        context = RunContext(out, cache, group, console)
        experiment = prepare(settings, context, read_data(settings, context))
        try:
            with RunFolder.open(out, f"audit-{experiment.key}", group, resume=True) as run:
                said = out_of_fold(experiment, run)
                suspects, facts = _judged(experiment, said)
                write_table(out / "audit.csv", suspects)
                write_page(out / "audit.html", suspects, facts)
                run.finish()
        except Interrupted:
            raise Interrupted(f"Interrupted. {_GO_ON}") from None
        except DiskFullError as error:
            raise DiskFullError(error.target, then="run it again: it goes on") from error
    if facts["unlearnt"]:
        console.warn(facts["unlearnt"])
    rows, found = facts["rows"], len(suspects)
    console.conclude(f"{found:,} of {rows:,} labels are likely wrong ({found / rows:.1%}).")
    console.say(f"All of them, the worst first: {out / 'audit.csv'}")
    console.say(f"To read: {out / 'audit.html'}")


def _judged(experiment: "Experiment", said: "OutOfFold") -> "tuple[list[Suspect], dict[str, Any]]":
    """The rows whose labels are likely wrong, and what the page says of the whole."""
    import numpy as np

    from classifier.evaluation.label_errors import likely_wrong
    from classifier.modeling.outputs import labels_of
    from classifier.training.out_of_fold import FOLDS

    reviews = experiment.data.reviews
    given, together = labels_of(reviews.rows).sentiment, said.together
    wrong, quality = likely_wrong(given, together)
    suspects = [said.suspect(row, reviews.rows[row], float(quality[row])) for row in wrong.tolist()]
    accuracy = {
        pooling: float((probabilities.argmax(axis=1) == given).mean())
        for pooling, probabilities in said.probabilities.items()
    }
    most_common = float(np.bincount(given).max() / len(given))
    facts: dict[str, Any] = {
        "rows": len(given),
        "accuracy": accuracy,
        "most_common": most_common,
        "encoder": experiment.encoder,
        "reviews": reviews.reason,
        "folds": FOLDS,
        "unlearnt": "",
    }
    if max(accuracy.values()) <= most_common:
        facts["unlearnt"] = (
            f"The models learnt too little to judge labels: they agree with "
            f"{max(accuracy.values()):.1%} of them, and the commonest label is right as often "
            f"({most_common:.1%}). Too few reviews, or reviews of another language?"
        )
    return suspects, facts
