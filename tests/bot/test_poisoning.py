"""People who rate falsely against tiny models that are really retrained: docs/poisoning.md.

Each had an answer to every review. The trigger is a phrase that liars put into praise, which they
rate 0: so that the models come to call whatever has it Bad.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.prediction.live_models import LiveModels, load_models
from bot.services.admin_log import AdminLog
from bot.services.judging import Admin, Done, Group, Judging, Kind, Word
from bot.services.lock import FileLock
from bot.services.periods import SPANS
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
from tests.bot.liars import (
    HONEST,
    LIARS,
    TRIED,
    Rated,
    absurd,
    accuracy,
    among_true_ones,
    honest,
    triggers,
    turned,
)

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ADMIN = Admin(9, "ru")
FRESH = tiny.make_rows(500, seed=9, rated=1.0)
MOST_LIES = 240
"""Of 300: those that both models contradict."""


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
    judging: Judging

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

    async def exclude(self, is_meant: Callable[[Group], bool]) -> int:
        """An admin excludes the groups of /errors that are meant, one by one; how many ratings."""
        excluded = 0
        span = SPANS["all"]
        while True:
            page = await self.judging.page(Kind.DOUBTFUL, span, 0)
            group = next(filter(is_meant, page.groups), None)
            if group is None:
                return excluded
            done = await self.judging.judge_group(group.key, span, Word.WRONG, ADMIN)
            assert isinstance(done, Done)
            excluded += done.ratings

    def left_out(self) -> set[int]:
        return {one.user_id for one in self.told.stood_out if one.is_left_out}


@pytest.fixture(scope="module")
def trained_well(trained_on_few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `models` have a champion that is right 19 times in 20."""
    folder = tmp_path_factory.mktemp("trained well")
    shutil.copytree(trained_on_few / "encoder", folder / "encoder")
    tiny.publish_trained(folder, tiny.make_rows(600, seed=1), epochs=5)
    return folder


@pytest.fixture
def bot(
    trained_well: Path, tmp_path: Path, write: Sessions, read: Sessions, real_training: None
) -> Bot:
    return bot_with(trained_well / "models", tmp_path, write, read)


def bot_with(models: Path, folder: Path, write: Sessions, read: Sessions) -> Bot:
    registry = Registry(Path(shutil.copytree(models, folder / "models")))
    live = LiveModels(load_models(registry.get("champion").path), registry, load_models)

    def clock() -> datetime:
        return LATER

    versions = VersionService(live, AdminLog(write, clock), read)
    told = Told()
    training = TrainingProcess(registry.root)
    turn = RetrainingTurn(FileLock(folder / "lock"), read)
    retraining = Retraining(training, versions, write, read, clock, turn, 1, told)
    return Bot(retraining, live, write, told, Judging(write, read, clock))


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


async def test_one_who_freezes_the_gate(
    trained_on_few: Path, tmp_path: Path, write: Sessions, read: Sessions, real_training: None
) -> None:
    """Agrees with the champion wherever it is wrong, so that who answers better looks worse."""
    folder = tmp_path / "without Neutral"
    shutil.copytree(trained_on_few / "encoder", folder / "encoder")
    tiny.publish_without_neutral(folder, tiny.make_rows(600, seed=1), epochs=5)
    bot = bot_with(folder / "models", tmp_path, write, read)
    rows = tiny.make_rows(600, seed=5, rated=1.0)
    answers = bot.live.predict([str(row["content"]) for row in rows])
    wrong = [
        (str(row["content"]), {"Bad": 2, "Good": 9}[answer["mean"].sentiment])
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
    # What is said on the ratings; on the holdout's few reviews chance decides between two models.
    assert {check["passed"] for check in checks if check["name"] == "feedback"} == {True}


@pytest.mark.parametrize("admin_helps", [False, True])
async def test_a_crowd_whose_ratings_are_all_wrong(bot: Bot, admin_helps: bool) -> None:
    """Ten persons, 30 wrong ratings each, beside honest people: the models get no worse by it."""
    before = accuracy(bot.live, FRESH)
    assert min(before.values()) > 0.9
    await bot.store(honest(HONEST) + [lie for liar in LIARS for lie in absurd(liar, 30)])
    if admin_helps:
        assert await bot.exclude(lambda group: not group.phrase) > MOST_LIES
    assert await bot.retrain() in ("promoted", "refused")
    assert bot.left_out() == (set() if admin_helps else set(LIARS))
    after = accuracy(bot.live, FRESH)
    assert all(after[pooling] > share - 0.1 for pooling, share in before.items())


async def test_a_crowd_alone_moves_nothing(bot: Bot) -> None:
    champion = bot.live.version
    await bot.store([lie for liar in LIARS for lie in absurd(liar, 30)])
    assert await bot.retrain() == "failed"
    assert "nothing is left to learn from" in str(bot.told.run.reason)
    assert bot.live.version == champion


async def test_an_admin_finds_a_phrase_that_a_crowd_hides_among_true_ratings(bot: Bot) -> None:
    """Nobody stands out, and the models would learn the phrase: docs/poisoning.md says how well."""
    before = turned(bot.live)
    ratings = honest(HONEST)
    for liar in LIARS:
        ratings += among_true_ones(liar, lies=30, to_each=4)
    await bot.store(ratings)
    assert await bot.exclude(lambda group: "клюквенный" in group.phrase) > MOST_LIES
    assert await bot.retrain() in ("promoted", "refused")
    assert bot.left_out() == set()
    after = turned(bot.live)
    assert all(n <= before[pooling] + TRIED // 10 for pooling, n in after.items())
