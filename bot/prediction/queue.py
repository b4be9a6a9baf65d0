"""One worker that predicts the reviews waiting at a moment together, off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.modeling.pooling import Pooling
    from classifier.serving.predictor import Prediction

    Predictions = dict[Pooling, Prediction]


class Predicts(Protocol):
    """Both models of one version, as classifier.serving.predictor.Predictor."""

    @property
    def version(self) -> str: ...

    def predict(self, texts: list[str]) -> "list[Predictions]": ...


class QueueFull(Exception):  # noqa: N818  (the name that asyncio gives it)
    """As many reviews wait as may."""


@dataclass(frozen=True)
class _Waiting:
    text: str
    answer: "asyncio.Future[Predictions]"


class PredictionQueue:
    """Predictions for many callers at once; the predictor is used by one thread only."""

    def __init__(self, predictor: Predicts, *, max_batch: int = 16, limit: int) -> None:
        self._predictor = predictor
        self._max_batch = max_batch
        self._limit = limit
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()  # None: stop
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="predictions")
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many reviews no batch has taken yet."""
        return self._queue.qsize()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="predictions")

    async def stop(self) -> None:
        """Finish what waits, then take no more."""
        if self._task is not None:
            task, self._task = self._task, None
            self._queue.put_nowait(None)
            await task
        self._executor.shutdown()

    async def predict(self, text: str) -> "Predictions":
        """Both models' predictions; whatever the predictor raises, and QueueFull."""
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
            for one, predictions in zip(batch, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(predictions)
        except Exception as error:
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
