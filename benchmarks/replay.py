"""The replay of one seed's users: the models are trained anew after every round of ratings.

The training is the product's own. Instead of mixing more reviews where they are few, which would
take most of the time, its batches are smaller, so that there are more steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from safetensors.numpy import load_file, save_file
from transformers import PreTrainedTokenizerBase

from benchmarks.asking import BY_BOTH, SCORES, Sent, chosen
from classifier.evaluation.metrics import figures_of_answers
from classifier.files import replacing
from classifier.modeling.device import default_device
from classifier.modeling.encoders import Encoder
from classifier.modeling.outputs import Outputs, answers_of
from classifier.modeling.pooling import POOLINGS
from classifier.serving.predictor import served
from classifier.training.checkpoint import Checkpoint, History
from classifier.training.distributed import Group
from classifier.training.loop import TrainingRun, new_model, train
from classifier.training.parts import Part
from classifier.training.recipe import DEFAULT, Recipe

FIGURES = ("accuracy", "macro_f1", "rating_mae")

_Answers = dict[str, Outputs]  # by pooling


@dataclass(frozen=True)
class Size:
    """How much is replayed."""

    start: int  # reviews that the first models know
    rounds: int
    sent: int  # reviews sent in a round
    taps: int  # ratings in a round
    epochs: int
    tokens: int  # that the models read of a review
    poolings: tuple[str, ...]  # that are judged

    @property
    def reviews(self) -> int:
        """How many are needed."""
        return self.start + self.rounds * self.sent

    def sent_in(self, number: int) -> range:
        """The rows that are sent in a round, from 0; none after the last one."""
        first = self.start + number * self.sent
        return range(first, first + self.sent if number < self.rounds else first)

    def recipe(self, encoder: Encoder) -> Recipe:
        """What the models are trained with."""
        ours = replace(
            DEFAULT,
            least_steps=0,
            batch_size=8,
            epochs=self.epochs,
            max_tokens=self.tokens,
            window=self.tokens,
        )
        return ours.for_encoder(encoder.positions, encoder.size)


@dataclass
class Replay:
    """The reviews in the order in which they are sent, and the models trained on some of them."""

    size: Size
    recipe: Recipe
    sent: Dataset
    judging: Dataset
    encoder: Path
    tokenizer: PreTrainedTokenizerBase
    seed: int
    started: Path  # the file of what the first models answer, which all scores share
    _test: Part = field(init=False)

    def __post_init__(self) -> None:
        self._test = self._part(self.judging)

    def rounds(self, name: str) -> list[dict[str, Any]]:
        """The figures before the first round and after each, if this score chooses whom to ask."""
        size, texts = self.size, list(self.sent["text"])
        by = POOLINGS if name in BY_BOTH else size.poolings
        of_test, of_pool = self._started()
        learned, judged = list(range(size.start)), [self._judged(of_test, [])]
        for number in range(size.rounds):
            pool = size.sent_in(number)
            answers = {pooling: of_pool[pooling] for pooling in by}
            sent, known = ([texts[row] for row in some] for some in (pool, learned))
            scores = SCORES[name](Sent(sent, answers, known))
            learned += [pool[place] for place in chosen(scores, size.taps)]
            of_test, of_pool = self._trained(learned, size.sent_in(number + 1), by)
            judged.append(self._judged(of_test, learned[size.start :]))
        return judged

    def _started(self) -> tuple[_Answers, _Answers]:
        """What the first models answer, of the test and of the first reviews sent."""
        if not self.started.exists():
            first = list(range(self.size.start))
            answers = self._trained(first, self.size.sent_in(0), POOLINGS)
            with replacing(self.started) as temporary:
                save_file(_arrays(answers), temporary)
        arrays = load_file(self.started)
        return _answers("test", arrays), _answers("pool", arrays)

    def _trained(
        self, learned: list[int], pool: range, by: Sequence[str]
    ) -> tuple[_Answers, _Answers]:
        """What models trained on these rows answer: those judged the test, those `by` the pool."""
        size, recipe = self.size, self.recipe
        part = self._part(self.sent.select(learned), to_train=True)
        alone = Group(rank=0, size=1, device=default_device())
        run = TrainingRun(self.seed, _NoCheckpoint(Path("never written")), alone)
        asked = self._part(self.sent.select(pool)) if pool else None
        of_test: _Answers = {}
        of_pool: _Answers = {}
        for pooling in POOLINGS:
            if pooling not in size.poolings and (asked is None or pooling not in by):
                continue
            model = new_model(str(self.encoder), pooling, recipe, self.seed)
            train(model, recipe, part, part.head(recipe.batch_size), run)
            answering = served(model)
            if pooling in size.poolings:
                of_test[pooling] = answering.predict(self._test.tokens)
            if asked is not None and pooling in by:
                of_pool[pooling] = answering.predict(asked.tokens)
        return of_test, of_pool

    def _judged(self, of_test: _Answers, rated: list[int]) -> dict[str, Any]:
        """The figures on the test rows, as means of the models, and what has been rated so far."""
        labels = self._test.labels
        found = [figures_of_answers(answers_of(out), labels) for out in of_test.values()]
        sentiments = np.bincount(np.array(self.sent["sentiment"])[rated].astype(int), minlength=3)
        return {
            "taps": len(rated),
            **{name: float(np.mean([figures[name] for figures in found])) for name in FIGURES},
            "rated_sentiments": sentiments.tolist(),
        }

    def _part(self, rows: Dataset, *, to_train: bool = False) -> Part:
        return Part.of_rows(rows, self.tokenizer, self.recipe, None, to_train=to_train)


class _NoCheckpoint(Checkpoint):
    """A training of a minute is not worth the writing."""

    def save(self, model: Any, optimization: Any, history: History) -> None:
        pass


def _arrays(answers: tuple[_Answers, _Answers]) -> dict[str, Any]:
    arrays = {}
    for of, by_pooling in zip(("test", "pool"), answers, strict=True):
        for pooling, outputs in by_pooling.items():
            arrays[f"{of}.{pooling}.sentiment"] = np.ascontiguousarray(outputs.sentiment_logits)
            if outputs.rating_logits is not None:
                arrays[f"{of}.{pooling}.rating"] = np.ascontiguousarray(outputs.rating_logits)
    return arrays


def _answers(of: str, arrays: dict[str, Any]) -> _Answers:
    return {
        pooling: Outputs(arrays[f"{of}.{pooling}.sentiment"], arrays.get(f"{of}.{pooling}.rating"))
        for pooling in POOLINGS
        if f"{of}.{pooling}.sentiment" in arrays
    }
