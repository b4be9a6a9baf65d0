"""The models that answer reviews now, replaced while the bot runs."""

import asyncio
import logging
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bot.errors import BotError
from bot.prediction.queue import NoModels, Predictions, Predicts
from classifier.errors import ClassifierError
from classifier.registry.registry import Registry

Load = Callable[[Path], Predicts]
"""Loads both models of the version in a folder; ClassifierError where it is damaged."""

_SELF_TEST = ["Прекрасный фильм, смотрели всей семьёй.", "Скучно, затянуто, ушли с середины."]

logger = logging.getLogger(__name__)


class LiveModels:
    """Predicts with both models of one version at a time.

    All of a version is behind the one reference that `take` assigns, and a batch reads it once:
    both predictions of a review are of the same version.
    """

    def __init__(self, models: Predicts | None, registry: Registry, load: Load) -> None:
        """`models`: None where there are none yet, until the first champion is taken."""
        self.registry = registry
        self.ready = asyncio.Event()  # there are models
        if models is not None:
            self.ready.set()
        self._models = models
        self._load = load
        # A champion that failed to load, and why: it is not tried again.
        self._refused: tuple[str, str] | None = None

    @property
    def version(self) -> str:
        """ "" while there are no models."""
        return "" if self._models is None else self._models.version

    def predict(self, texts: list[str], most_tokens: int | None = None) -> list[Predictions]:
        """Raises NoModels while there are none."""
        if self._models is None:
            raise NoModels
        return self._models.predict(texts, most_tokens)

    async def load(self, version: str) -> Predicts:
        """The models of a version, tested, beside those in use; ClassifierError, BotError."""
        found = self.registry.get(version)

        def load_and_test() -> Predicts:
            found.verify()
            models = self._load(found.path)
            self_test(models)
            return models

        return await asyncio.to_thread(load_and_test)

    def take(self, models: Predicts) -> None:
        """Predict with these from the next batch on; a batch under way ends with the old ones."""
        self._models = models
        self.ready.set()
        logger.info("model taken", extra={"model": models.version})

    async def follow(self) -> str | None:
        """Take the champion if it is another one by now; what is wrong where it can't be taken."""
        name: str | None = None
        try:
            champion = await asyncio.to_thread(self.registry.champion)
            if champion is None and self._models is None:  # it is being trained
                return None
            if champion is None:
                return f"There is no champion in {self.registry.root}."
            if champion.name == self.version:
                self._refused = None
                return None
            if self._refused is not None and self._refused[0] == champion.name:
                return self._refused[1]
            name = champion.name
            models = await self.load(name)
            # It may have changed back while this one was loading.
            if await asyncio.to_thread(self.registry.champion) == champion:
                self.take(models)
        except (ClassifierError, BotError) as error:
            self._refused = (name, str(error)) if name is not None else None
            return str(error)
        self._refused = None
        return None


def self_test(models: Predicts) -> None:
    """Raises BotError unless both models answer two sentences with probabilities."""
    failed = f"{models.version} fails its self-test"
    try:
        answers = models.predict(_SELF_TEST)
    except Exception as error:  # whatever a model that others made may raise
        raise BotError(f"{failed}: {type(error).__name__}: {error}") from error
    for answer in answers:
        for pooling in ("cls", "mean"):
            prediction = answer.get(pooling)
            if prediction is None:
                raise BotError(f"{failed}: no answer from {pooling}.")
            for shares in (prediction.sentiment_probabilities, prediction.rating_probabilities):
                if shares is not None and not _is_distribution(shares):
                    raise BotError(f"{failed}: the answer of {pooling} is not probabilities.")


def load_models(folder: Path) -> Predicts:
    """The models of the version in a folder, on this machine's GPU if it has one."""
    from classifier.modeling.device import default_device
    from classifier.serving.predictor import Predictor

    _warn_of_float32()
    return Predictor(folder, default_device())


@cache
def _warn_of_float32() -> None:
    """Once in a process."""
    import torch

    from classifier.modeling.device import compute_dtype, default_device

    if compute_dtype(default_device()) == torch.float32:
        logger.warning("no bfloat16 on this machine: predicting in float32, at half the speed")


def _is_distribution(shares: tuple[float, ...]) -> bool:
    return all(0 <= share <= 1 + 1e-6 for share in shares) and math.isclose(
        sum(shares), 1, abs_tol=1e-3
    )
