"""Several encoders trained on the same reviews, one after the other, each with both poolings.

    <folder>/
        results/<key>.safetensors   what a finished encoder's models say of the holdout, and facts
        .unfinished/<key>/          the checkpoints of one that is under way

What is finished is not trained again: the same call goes on where it was killed.
"""

import gc
import hashlib
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from classifier.data.tokenizer import stands_for_cls, tokenize
from classifier.errors import ClassifierError, DiskFullError
from classifier.evaluation.leaderboard import Entry
from classifier.files import explain_full_disk, replacing, sha256
from classifier.memory import give_back_freed_pages
from classifier.modeling.encoders import Encoder
from classifier.modeling.outputs import Labels, Outputs
from classifier.modeling.pooling import POOLINGS
from classifier.serving.predictor import served
from classifier.training.checkpoint import RunFolder
from classifier.training.experiment import Experiment, Finished, prepare
from classifier.training.experiment_data import read_data
from classifier.training.publishing import environment
from classifier.training.settings import RunContext, Settings

_TIMED = 32  # reviews of the holdout, each answered by itself


@dataclass(frozen=True)
class Failure:
    """An encoder that is not on the board, and why."""

    name: str
    reason: str


def measure(
    encoders: Sequence[str], settings: Settings, context: RunContext
) -> tuple[list[Entry], list[Failure]]:
    """Train each encoder, as far as that is not done, and say which failed.

    `settings` are those of all of them but for the encoder; `context.models` is the board's
    folder. Raises ClassifierError where the reviews can't be read, and DiskFullError: nothing
    would come of the other encoders either.
    """
    data = read_data(settings, context)
    entries: list[Entry] = []
    failures: list[Failure] = []
    for number, name in enumerate(encoders, start=1):
        context.console.conclude(f"{number} of {len(encoders)}: {name}")
        try:
            experiment = prepare(replace(settings, encoder=name), context, data)
            entry = _entry(experiment, context)
            taken = {one.name for one in entries}
            entries.append(replace(entry, name=name) if entry.name in taken else entry)
        except DiskFullError:
            raise
        except Exception as error:  # in as many ways as there are encoders; the others can go on
            failures.append(Failure(name, _reason(error).removeprefix(f"--encoder {name}: ")))
            context.console.warn(f"Failed: {failures[-1].reason}")
        gc.collect()  # a model has circles, and the next one needs its memory
        give_back_freed_pages()
    return entries, failures


def _reason(error: Exception) -> str:
    said = " ".join(str(error).split())
    return said if isinstance(error, ClassifierError) else f"{type(error).__name__}: {said:.300}"


def _entry(experiment: Experiment, context: RunContext) -> Entry:
    """What was measured of an encoder, now or earlier."""
    encoder = experiment.encoder
    # The name of a folder does not tell which weights are in it.
    weights = sha256(encoder.folder / "model.safetensors")
    key = hashlib.sha256(f"{experiment.key} {weights}".encode()).hexdigest()[:16]
    file = context.models / "results" / f"{key}.safetensors"
    if (kept := _read(file)) is not None:
        context.console.say("It was measured before.")
        return kept
    with RunFolder.open(context.models, key, context.group, resume=True) as folder:
        context.console.say(folder.what_is_there())
        finished = experiment.run(folder)
        entry = Entry(
            _shown_name(encoder),
            _facts(finished),
            finished.both.parts.holdout.labels,
            {
                pooling: [results[pooling].outputs for results in finished.by_seed]
                for pooling in POOLINGS
            },
        )
        _write(file, entry)
        folder.finish()
    return entry


def _shown_name(encoder: Encoder) -> str:
    """The figures of a stand-in must not stand under another's name."""
    if encoder.stand_in:
        return f"stand-in for {encoder.name}"
    return Path(encoder.name).name if Path(encoder.name).is_dir() else encoder.name


def _facts(finished: Finished) -> dict[str, Any]:
    experiment = finished.experiment
    encoder, recipe = experiment.encoder, experiment.settings.recipe
    facts: dict[str, Any] = {
        **{name: getattr(encoder, name) for name in ("origin", "stand_in", "revision")},
        "family": encoder.config.model_type,
        "layers": getattr(encoder.config, "num_hidden_layers", None),
        "width": encoder.config.hidden_size,
        "stands_for_cls": stands_for_cls(experiment.tokenizer),
        "max_tokens": recipe.max_tokens,
        "learning_rate": recipe.learning_rate,
        "parts": {name: len(rows) for name, rows in vars(finished.parts).items()},
        "mixed": finished.mixed,
        "holdout_ids": finished.parts.ids()["holdout"],
        **environment(experiment.context.group.device),
    }
    for pooling in POOLINGS:
        facts[pooling] = {"seconds": _seconds(finished, pooling), **_answering(finished, pooling)}
    return facts


def _seconds(finished: Finished, pooling: str) -> float:
    """What a training takes from the encoder as it comes, in the mean over the seeds."""
    each = [sum(epoch["seconds"] for epoch in one[pooling].history) for one in finished.by_seed]
    return statistics.fmean(each)


def _answering(finished: Finished, pooling: str) -> dict[str, float]:
    """Parameters, and milliseconds of one review by itself, the median of some of the holdout."""
    model = finished.model(pooling)
    words: Any = model.encoder.get_input_embeddings()
    sizes = {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "word_parameters": words.weight.numel(),
    }
    recipe, answering = finished.experiment.settings.recipe, served(model)
    del model
    seconds = []
    for text in finished.parts.holdout["text"][: _TIMED + 1]:
        started = time.perf_counter()
        tokens = tokenize(
            [text], finished.experiment.tokenizer, recipe.max_tokens, recipe.head_share
        )
        answering.predict(tokens)
        seconds.append(time.perf_counter() - started)
    return {**sizes, "milliseconds": 1000 * statistics.median(seconds[1:] or seconds)}


def _write(file: Path, entry: Entry) -> None:
    arrays = {f"labels.{name}": values for name, values in vars(entry.labels).items()}
    for pooling, each in entry.outputs.items():
        for number, outputs in enumerate(each):
            for name, values in vars(outputs).items():
                if values is not None:
                    arrays[f"{pooling}.{number}.{name}"] = values
    arrays = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    said = {"name": entry.name, "facts": json.dumps(entry.facts, ensure_ascii=False)}
    file.parent.mkdir(parents=True, exist_ok=True)
    with explain_full_disk(file), replacing(file) as temporary:
        save_file(arrays, temporary, metadata=said)


def _read(file: Path) -> Entry | None:
    """What `_write` wrote; None where there is nothing whole."""
    try:
        with safe_open(file, framework="np") as kept:
            arrays = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
            said = kept.metadata()
    except (FileNotFoundError, SafetensorError):
        return None
    outputs: dict[str, list[Outputs]] = {pooling: [] for pooling in POOLINGS}
    for pooling, each in outputs.items():
        while (at := f"{pooling}.{len(each)}.sentiment_logits") in arrays:
            ratings = arrays.get(f"{pooling}.{len(each)}.rating_logits")
            each.append(Outputs(arrays[at], ratings))
    labels = Labels(arrays["labels.sentiment"], arrays["labels.rating"])
    return Entry(said["name"], json.loads(said["facts"]), labels, outputs)
