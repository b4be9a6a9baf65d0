"""Both poolings trained under one seed, from one adapted encoder, and judged by the holdout."""

from dataclasses import dataclass
from pathlib import Path

from classifier.data.tokens import Tokens
from classifier.evaluation.metrics import Metrics, evaluate
from classifier.memory import give_back_freed_pages
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.temperature import fit_temperature
from classifier.training.adaptation import adapt
from classifier.training.checkpoint import History
from classifier.training.console import Narrator
from classifier.training.distributed import Group
from classifier.training.inference import predict_tokens
from classifier.training.loop import Part, new_model, train
from classifier.training.recipe import Recipe
from classifier.training.unfinished import UnfinishedRun

_ADAPTED = "adapted"  # the checkpoint of the encoder


@dataclass(frozen=True)
class Data:
    """The parts as token ids and labels."""

    training: Part
    validation: Part
    holdout: Part
    as_written: Tokens  # the holdout with the written ratings left in
    mask_id: int | None  # of [MASK], which adaptation and word dropout need


@dataclass(frozen=True)
class Trained:
    """How the training of one pooling went, and what its model says of the holdout.

    The model itself is in its checkpoint: in memory it would take 117 MB all through the trainings
    after its own.
    """

    adaptation: History  # of the encoder it started from
    history: History
    temperature: float
    outputs: Outputs
    metrics: Metrics
    unstripped: Metrics


@dataclass(frozen=True)
class PairTraining:
    """What the trainings need, whatever the seed."""

    encoder: Path
    recipe: Recipe
    keep_ratings: bool
    data: Data
    run: UnfinishedRun
    group: Group
    narrator: Narrator
    seeds: int  # of the whole run

    def train(self, seed: int) -> dict[str, Trained]:
        """Both poolings; in all processes of the group but the first, nothing comes of it."""
        give_back_freed_pages()
        adaptation = self._adapt(seed)
        pair: dict[str, Trained] = {}
        for pooling in POOLINGS:
            give_back_freed_pages()
            title = f"{pooling} pooling{self._of_seed(seed)}"
            self.narrator.say(f"Training with {title}")
            model = self._new_model(pooling, seed)
            if adaptation and self.group.is_first:  # whose weights the others are given
                model.bert.load_state_dict(self.run.checkpoint(_ADAPTED, seed).weights("bert."))
            with self.narrator.training(title, self._share(self.recipe.epochs)) as on_step:
                history = train(
                    model,
                    self.recipe,
                    self.data.training,
                    self.data.validation,
                    seed,
                    self.run.checkpoint(pooling, seed),
                    self.group,
                    on_step,
                    self.narrator.epoch,
                    self.data.mask_id,
                )
            if self.group.is_first:
                pair[pooling] = self._judge(model, adaptation, history)
            del model  # or it would stay until the next one is loaded
        return pair

    def model(self, pooling: str, seed: int, trained: Trained) -> PoolingClassifier:
        """A trained model out of its checkpoint; ClassifierError where that has gone since."""
        model = self._new_model(pooling, seed)
        model.load_state_dict(self.run.checkpoint(pooling, seed).weights())
        model.config.temperature = trained.temperature
        return model

    def _adapt(self, seed: int) -> History:
        """Adapt the encoder to the training texts, into a checkpoint of the run."""
        epochs = self.recipe.adaptation_epochs
        if not epochs:
            return []
        assert self.data.mask_id is not None
        title = f"the encoder{self._of_seed(seed)}"
        self.narrator.say(f"Adapting {title} to the reviews")
        with self.narrator.training(title, self._share(epochs)) as on_step:
            return adapt(
                self._new_model("mean", seed).bert,
                self.recipe,
                self.data.training.tokens,
                self.data.mask_id,
                seed,
                self.run.checkpoint(_ADAPTED, seed),
                self.group,
                on_step,
                self.narrator.adapted,
            )

    def _judge(self, model: PoolingClassifier, adaptation: History, history: History) -> Trained:
        data, dtype = self.data, self.recipe.dtype(model.device)
        validated = predict_tokens(model, data.validation.tokens, dtype)
        temperature = fit_temperature(validated.sentiment_logits, data.validation.labels.sentiment)
        outputs = predict_tokens(model, data.holdout.tokens, dtype)
        as_written = predict_tokens(model, data.as_written, dtype)
        return Trained(
            adaptation=adaptation,
            history=history,
            temperature=temperature,
            outputs=outputs,
            metrics=evaluate(outputs, data.holdout.labels, temperature=temperature),
            unstripped=evaluate(as_written, data.holdout.labels, temperature=temperature),
        )

    def _new_model(self, pooling: str, seed: int) -> PoolingClassifier:
        model = new_model(str(self.encoder), pooling, self.recipe, seed)
        model.config.keep_ratings = self.keep_ratings
        return model

    def _of_seed(self, seed: int) -> str:
        return f", seed {seed}" if self.seeds > 1 else ""

    def _share(self, epochs: int) -> float:
        """How much of the whole run so many epochs are."""
        return epochs / (self.seeds * self.recipe.all_epochs)
