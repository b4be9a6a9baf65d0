"""The queue before the models: reviews that wait at the same moment are predicted together.

People take turns in it: who has sent sixty reviews does not come before who has sent one. Where
many wait, less is read of each review (bot/prediction/pace.py), of a batch by both models the same.
What can wait, the variants of a review that is explained, is read in spare time
(bot/prediction/spare_time.py).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from bot.clock import is_set_within
from bot.prediction.pace import Pace
from bot.prediction.spare_time import SpareTime

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.modeling.pooling import Pooling
    from classifier.serving.predictor import Prediction

Predictions: TypeAlias = "dict[Pooling, Prediction]"
"""What both models of a version predict of one review."""

_MOST_LATER = 256
"""Texts that can wait at most, of some twenty reviews."""


class Predicts(Protocol):
    """Both models of one version, as classifier.serving.predictor.Predictor."""

    @property
    def version(self) -> str: ...

    def predict(self, texts: list[str], most_tokens: int | None = None) -> list[Predictions]: ...


class QueueFull(Exception):  # noqa: N818  (the name that asyncio gives it)
    """As many reviews are waiting as are allowed to."""


class NoModels(Exception):  # noqa: N818  (what is so, not a bug)
    """There are none yet that could predict."""


class _Waiting(NamedTuple):
    text: str
    answer: asyncio.Future[Predictions]
    most_tokens: int | None = None  # of what can wait


class PredictionQueue:
    """Predicts for many callers at once, off the event loop, in one thread."""

    def __init__(
        self,
        predictor: Predicts,
        *,
        limit: int,
        max_batch: int = 16,
        on_batch: Callable[[list[Predictions]], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit`: how many reviews may wait; `on_batch` gets the predictions of each batch."""
        self._predictor = predictor
        self._clock = clock
        self._on_batch = on_batch
        self._max_batch = max_batch
        self.limit = limit
        self._people: dict[int, deque[_Waiting]] = {}  # whose turn is next comes first
        self._later: deque[_Waiting] = deque()
        self.batch_began: float | None = None  # time.monotonic() of the one being predicted
        self.waiting = 0  # reviews that are in no batch yet
        self.on_taken: Callable[[], None] = lambda: None  # fewer are waiting now
        self.behind: Callable[[], int] = lambda: 0  # reviews that are about to come here
        self._pace, self._spare = Pace(), SpareTime()
        self._changed = asyncio.Event()
        self._stopping = False
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="predictions")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="predictions")

    async def stop(self) -> None:
        """Predict what is waiting, then accept no more."""
        if self._task is not None:
            task, self._task = self._task, None
            self._stopping = True
            self._changed.set()
            await task
        self._executor.shutdown()

    async def predict(self, text: str, person: int = 0) -> Predictions:
        """Both models' predictions; raises QueueFull, NoModels and whatever else they raise."""
        if self._task is None:
            raise RuntimeError("the prediction queue is not running")
        if self.waiting >= self.limit:
            raise QueueFull
        answer: asyncio.Future[Predictions] = asyncio.get_running_loop().create_future()
        self._people.setdefault(person, deque()).append(_Waiting(text, answer))
        self.waiting += 1
        self._spare.review_came(time.monotonic())
        self._changed.set()
        return await answer

    async def predict_later(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[Predictions]:
        """As `predict`, of several texts, in spare time; so many tokens of each."""
        if self._task is None:
            raise RuntimeError("the prediction queue is not running")
        if len(self._later) + len(texts) > _MOST_LATER:
            raise QueueFull
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(text, loop.create_future(), most_tokens) for text in texts]
        self._later.extend(waiting)
        self._changed.set()
        return await asyncio.gather(*(one.answer for one in waiting))

    @property
    def version(self) -> str:
        """Of the models that answer now; "" while there are none."""
        return self._predictor.version

    async def _work(self) -> None:
        while self._people or self._later or not self._stopping:
            self._changed.clear()
            can_wait = not self._people
            pause = self._spare.starts_in(time.monotonic())
            if can_wait and self._later and pause and not self._stopping:
                await is_set_within(self._changed, pause)
                continue
            if can_wait:
                batch = self._next_later()
                most_tokens = batch[0].most_tokens if batch else None
            else:
                most_tokens = self._most_tokens()
                batch = self._next_batch()
            # A caller that was cancelled needs no answer.
            if wanted := [one for one in batch if not one.answer.done()]:
                await self._answer(wanted, most_tokens, can_wait)
            elif not (self._people or self._later or self._stopping):
                await self._changed.wait()

    def _most_tokens(self) -> int | None:
        waiting = chain.from_iterable(self._people.values())
        lengths = [len(one.text) for one in waiting if not one.answer.done()]
        return self._pace.most_tokens(lengths, self.behind()) if lengths else None

    def _next_later(self) -> list[_Waiting]:
        """Some that are to be read alike."""
        batch: list[_Waiting] = []
        most = self._spare.most(time.monotonic())
        while (
            self._later
            and len(batch) < most
            and self._later[0].most_tokens == (batch or self._later)[0].most_tokens
        ):
            batch.append(self._later.popleft())
        return batch

    def _next_batch(self) -> list[_Waiting]:
        """One review of each person in turn, and again from the first, until it is full."""
        batch: list[_Waiting] = []
        while self._people and len(batch) < self._max_batch:
            person = next(iter(self._people))
            theirs = self._people.pop(person)
            batch.append(theirs.popleft())
            if theirs:
                self._people[person] = theirs
        self.waiting -= len(batch)
        if batch:
            self.on_taken()
        return batch

    async def _answer(self, batch: list[_Waiting], most_tokens: int | None, can_wait: bool) -> None:
        texts = [one.text for one in batch]
        loop = asyncio.get_running_loop()
        self.batch_began, began = time.monotonic(), self._clock()
        try:
            answers = await loop.run_in_executor(
                self._executor, self._predictor.predict, texts, most_tokens
            )
            ended = self._clock()
            self._pace.note(ended - began, sum(map(_tokens_read, answers)))
            if can_wait:
                self._spare.used(self.batch_began, time.monotonic())
            else:
                self._on_batch(answers)
            for one, predictions in zip(batch, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(predictions)
        except Exception as error:
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
        finally:
            self.batch_began = None


def _tokens_read(predictions: Predictions) -> int:
    return next(iter(predictions.values())).tokens  # both models read the same
