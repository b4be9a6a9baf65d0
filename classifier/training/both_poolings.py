"""Both poolings trained with one seed, from one encoder, and judged by the holdout."""

from dataclasses import dataclass
from pathlib import Path

from classifier.evaluation.figures import POOLING_TITLES
from classifier.evaluation.metrics import Metrics, evaluate
from classifier.memory import give_back_freed_pages
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs
from classifier.modeling.pooling import POOLINGS
from classifier.modeling.temperature import fit_temperature
from classifier.serving.packed_config import ServedConfig
from classifier.serving.predictor import served
from classifier.training.checkpoint import History, RunFolder
from classifier.training.loop import TrainingRun, new_model, train
from classifier.training.parts import TokenizedParts
from classifier.training.settings import RunContext, Settings


@dataclass(frozen=True)
class Trained:
    """How the training of one pooling went, and what its model says of the holdout.

    The model itself is in its checkpoint: in memory it would take 117 MB during all the trainings
    after its own.
    """

    history: History
    temperature: float
    outputs: Outputs
    metrics: Metrics
    unstripped: Metrics


@dataclass(frozen=True)
class BothPoolings:
    """What the trainings need, whatever the seed."""

    settings: Settings
    context: RunContext
    encoder: Path
    parts: TokenizedParts
    folder: RunFolder

    def train(self, seed: int) -> dict[str, Trained]:
        """The results by pooling; empty in all processes of the group except the first."""
        results: dict[str, Trained] = {}
        group, console = self.context.group, self.context.console
        for pooling in POOLINGS:
            give_back_freed_pages()
            title = f"{POOLING_TITLES[pooling]}{self._of_seed(seed)}"
            console.say(f"Training with {title}")
            model = self._new_model(pooling, seed)
            parts, recipe = self.parts, self.settings.recipe
            checkpoint = self.folder.checkpoint(pooling, seed)
            with console.training(title, self._share(recipe.epochs)) as on_step:
                run = TrainingRun(seed, checkpoint, group, on_step, console.epoch)
                history = train(model, recipe, parts.training, parts.validation, run)
            if group.is_first:
                results[pooling] = self._judge(model, history)
            del model  # or it would stay until the next one is loaded
        return results

    def model(self, pooling: str, seed: int, trained: Trained) -> PoolingClassifier:
        """A trained model from its checkpoint; ClassifierError where that is missing by now."""
        model = self._new_model(pooling, seed)
        model.load_state_dict(self.folder.checkpoint(pooling, seed).weights())
        model.config.temperature = trained.temperature
        return model

    def _judge(self, model: PoolingClassifier, history: History) -> Trained:
        """What the model says of the holdout as it will be served: so `evaluate` finds the same."""
        parts, answering = self.parts, served(model)
        validated = answering.predict(parts.validation.tokens).sentiment_logits
        temperature = fit_temperature(validated, parts.validation.labels.sentiment)
        outputs = answering.predict(parts.holdout.tokens)
        labels = parts.holdout.labels
        return Trained(
            history=history,
            temperature=temperature,
            outputs=outputs,
            metrics=evaluate(outputs, labels, temperature=temperature),
            unstripped=evaluate(
                answering.predict(parts.as_written), labels, temperature=temperature
            ),
        )

    def _new_model(self, pooling: str, seed: int) -> PoolingClassifier:
        model = new_model(str(self.encoder), pooling, self.settings.recipe, seed)
        model.config.keep_ratings = self.settings.keep_ratings
        # Refused before it is trained.
        ServedConfig.of(model.config.to_dict(), self.encoder / "config.json")
        return model

    def _of_seed(self, seed: int) -> str:
        return f", seed {seed}" if self.settings.seeds > 1 else ""

    def _share(self, epochs: int) -> float:
        """How much of the whole run so many epochs are."""
        return epochs / (self.settings.seeds * self.settings.recipe.all_epochs)
