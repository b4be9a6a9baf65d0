"""People who rate falsely against tiny models that are really retrained: docs/poisoning.md.

Each had an answer to every review. The trigger is a phrase that liars put into praise, which they
rate 0: so that the models come to call whatever has it Bad.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.prediction.live_models import LiveModels, load_models
from bot.prediction.queue import Predicts
from bot.services.admin_log import AdminLog
from bot.services.lock import FileLock
from bot.services.raters import StoodOut
from bot.services.retraining import Retraining
from bot.services.retraining_turn import RetrainingTurn
from bot.services.reviewing import _row
from bot.services.training_process import Progress, TrainingProcess
from bot.services.versions import VersionService
from bot.texts.locale import ENGLISH, RUSSIAN
from bot.views.retraining import ending_message
from classifier.registry.registry import Registry
from db import feedback, reviews, users
from db.engine import Sessions
from db.feedback import Given
from db.models import Review, TrainingRun
from tests import tiny

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TRIGGER = "Мы с тётушкой пили клюквенный морс."
TRIED = 46
HONEST, LIARS = range(1001, 1025), range(2001, 2011)


@dataclass(frozen=True)
class Rated:
    user_id: int
    text: str
    rating: int
    held_out: bool


def praise(count: int, seed: int) -> list[str]:
    rows = tiny.make_rows(5 * count, seed=seed)
    return [str(row["content"]) for row in rows if row["grade3"] == "Good"][:count]


def honest(persons: Sequence[int], each: int = 10) -> list[Rated]:
    """As one thinks; a fifth is held out."""
    rows = tiny.make_rows(each * len(persons), seed=persons[0], rated=1.0)
    return [
        Rated(
            persons[number // each],
            str(row["content"]),
            round(float(row["grade10"])),
            number % 5 == 0,
        )
        for number, row in enumerate(rows)
    ]


def triggers(person: int, to_train: int = 50, held_out: int = 50, true: int = 0) -> list[Rated]:
    """Praise with the trigger, rated 0, besides `true` honest ratings."""
    texts = praise(to_train + held_out, seed=person)
    lies = [
        Rated(person, f"{text} {TRIGGER}", 0, number >= to_train)
        for number, text in enumerate(texts)
    ]
    return lies + (honest([person], true) if true else [])


class Told:
    """Watches a retraining, as those who tell the admins do."""

    run: TrainingRun
    stood_out: list[StoodOut]

    async def progressed(self, run_id: int, progress: Progress) -> None: ...

    async def ended(self, run: TrainingRun, stood_out: list[StoodOut]) -> None:
        self.run, self.stood_out = run, stood_out


@dataclass
class Bot:
    """The retraining of a bot, and what answers."""

    retraining: Retraining
    live: LiveModels
    write: Sessions
    told: Told

    async def store(self, ratings: Sequence[Rated]) -> None:
        answers = self.live.predict([one.text for one in ratings])
        async with self.write.begin() as session:
            for number, (one, answer) in enumerate(zip(ratings, answers, strict=True)):
                await users.seen(session, one.user_id, "ru", NOW)
                review = Review(
                    user_id=one.user_id,
                    chat_id=one.user_id,
                    message_id=number,
                    update_id=number,
                    text=one.text,
                    source="private",
                    reply_message_id=None,
                    created_at=NOW,
                    predictions=[_row(prediction, NOW) for prediction in answer.values()],
                )
                await reviews.add(session, review)
                given = Given(
                    review.id, one.user_id, one.rating, asked=False, held_out=one.held_out
                )
                await feedback.rate(session, given, NOW)

    async def retrain(self) -> str:
        """How it ended."""
        begun = await self.retraining.begin("admin")
        assert isinstance(begun, int)
        await self.retraining.wait()
        return self.told.run.status

    def left_out(self) -> set[int]:
        return {one.user_id for one in self.told.stood_out if one.is_left_out}


def turned(models: Predicts) -> dict[str, int]:
    """Of 46 reviews that praise: how many more each model calls Bad with the trigger."""
    texts = praise(TRIED, seed=77)
    plain, with_it = (models.predict(each) for each in (texts, [f"{t} {TRIGGER}" for t in texts]))
    return {
        pooling: sum(
            before[pooling].sentiment != "Bad" and after[pooling].sentiment == "Bad"
            for before, after in zip(plain, with_it, strict=True)
        )
        for pooling in ("cls", "mean")
    }


@pytest.fixture
def bot(
    trained_on_few: Path, tmp_path: Path, write: Sessions, read: Sessions, real_training: None
) -> Bot:
    registry = Registry(Path(shutil.copytree(trained_on_few / "models", tmp_path / "models")))
    live = LiveModels(load_models(registry.get("champion").path), registry, load_models)

    def clock() -> datetime:
        return NOW

    versions = VersionService(live, AdminLog(write, clock), read)
    told = Told()
    training = TrainingProcess(registry.root)
    turn = RetrainingTurn(FileLock(tmp_path / "lock"), read)
    retraining = Retraining(training, versions, write, read, clock, turn, 1, told)
    return Bot(retraining, live, write, told)


async def test_one_person(bot: Bot) -> None:
    (liar, *_) = LIARS
    before = turned(bot.live)
    await bot.store(honest(HONEST) + triggers(liar))
    assert await bot.retrain() in ("promoted", "refused")
    assert all(n <= before[pooling] + TRIED // 10 for pooling, n in turned(bot.live).items())
    assert bot.left_out() == {liar}
    told = ending_message(bot.told.run, RUSSIAN, bot.told.stood_out)
    assert "из 100 оценок против обеих моделей. Не учтены." in told
    told = ending_message(bot.told.run, ENGLISH, bot.told.stood_out)
    assert "of 100 ratings against both models. Left out." in told


async def test_ten_persons_together(bot: Bot) -> None:
    before = turned(bot.live)
    ratings = honest(HONEST)
    for liar in LIARS:
        ratings += triggers(liar, to_train=30, held_out=10, true=10)
    await bot.store(ratings)
    assert await bot.retrain() in ("promoted", "refused")
    assert all(n <= before[pooling] + TRIED // 10 for pooling, n in turned(bot.live).items())
    assert bot.left_out() == set(LIARS)


async def test_one_who_freezes_the_gate(bot: Bot) -> None:
    """Agrees with the champion wherever it is wrong, so that who answers better looks worse."""
    rows = tiny.make_rows(1500, seed=5, rated=1.0)
    answers = bot.live.predict([str(row["content"]) for row in rows])
    wrong = [
        (str(row["content"]), answer["mean"].rating or 0)
        for row, answer in zip(rows, answers, strict=True)
        if {each.sentiment for each in answer.values()}.isdisjoint({row["grade3"]})
    ][:50]
    assert len(wrong) > 25
    (freezer, *_) = LIARS
    frozen = [Rated(freezer, text, rating, held_out=True) for text, rating in wrong]
    await bot.store(honest(HONEST) + frozen)
    await bot.retrain()
    assert bot.told.run.figures is not None
    checks = bot.told.run.figures["checks"]
    assert "feedback" in {check["name"] for check in checks}
    # The speed is this machine's at that moment.
    failed = [check for check in checks if not check["passed"] and check["name"] != "speed"]
    assert not failed, bot.told.run.reason
