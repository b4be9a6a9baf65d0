"""The queue before the models: reviews that wait at the same moment are predicted together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.modeling.pooling import Pooling
    from classifier.serving.predictor import Prediction

Predictions: TypeAlias = "dict[Pooling, Prediction]"
"""What both models of a version predict of one review."""


class Predicts(Protocol):
    """Both models of one version, as classifier.serving.predictor.Predictor."""

    @property
    def version(self) -> str: ...

    def predict(self, texts: list[str]) -> list[Predictions]: ...


class QueueFull(Exception):  # noqa: N818  (the name that asyncio gives it)
    """As many reviews are waiting as are allowed to."""


class _Waiting(NamedTuple):
    text: str
    answer: asyncio.Future[Predictions]


class PredictionQueue:
    """Predicts for many callers at once, off the event loop, in one thread."""

    def __init__(
        self,
        predictor: Predicts,
        *,
        limit: int,
        max_batch: int = 16,
        on_batch: Callable[[list[Predictions]], None] = lambda _: None,
    ) -> None:
        """`limit`: how many reviews may wait; `on_batch` gets the predictions of each batch."""
        self._predictor = predictor
        self._on_batch = on_batch
        self._max_batch = max_batch
        self._limit = limit
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()  # None: stop
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="predictions")
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many reviews are in no batch yet."""
        return self._queue.qsize()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="predictions")

    async def stop(self) -> None:
        """Predict what is waiting, then accept no more."""
        if self._task is not None:
            task, self._task = self._task, None
            self._queue.put_nowait(None)
            await task
        self._executor.shutdown()

    async def predict(self, text: str) -> Predictions:
        """Both models' predictions; raises QueueFull, and whatever the predictor raises."""
        if self._task is None:
            raise RuntimeError("the prediction queue is not running")
        if self.waiting >= self._limit:
            raise QueueFull
        answer: asyncio.Future[Predictions] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(text, answer))
        return await answer

    async def _work(self) -> None:
        while (first := await self._queue.get()) is not None:
            batch = [first]
            while len(batch) < self._max_batch and not self._queue.empty():
                following = self._queue.get_nowait()
                if following is None:
                    self._queue.put_nowait(None)  # nothing comes after it: stop at the next turn
                    break
                batch.append(following)
            # A caller that was cancelled needs no answer.
            if wanted := [one for one in batch if not one.answer.done()]:
                await self._answer(wanted)

    async def _answer(self, batch: list[_Waiting]) -> None:
        texts = [one.text for one in batch]
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._executor, self._predictor.predict, texts)
            self._on_batch(answers)
            for one, predictions in zip(batch, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(predictions)
        except Exception as error:
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
