"""/models: an admin sees the versions, and makes another one answer without a restart."""

import pytest
from sqlalchemy import select
from telegram import Message

from bot.local.server import LocalServer
from bot.prediction.live_models import load_models
from bot.texts import conversation, versions
from classifier.registry.registry import Registry
from db.engine import Sessions
from db.models import AdminAction
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import ANYA, BORIS, EMILY, OTHER_REVIEW, REVIEW, buttons_of, reviews

pytestmark = pytest.mark.anyio


def data_of(message: Message) -> list[str]:
    return [data for row in buttons_of(message) for _, data in row]


async def versions_used(read: Sessions) -> list[str]:
    return [
        next(iter({prediction.model_version for prediction in review.predictions}))
        for review in await reviews(read)
    ]


async def test_promote_and_roll_back(
    registry: Registry, telegram: LocalServer, running_bot: RunningBot, read: Sessions
) -> None:
    first, second = (version.name for version in registry.versions())
    pair = load_models(registry.get(second).path)
    async with running_bot(pair, models=registry.root), chat_client(telegram.url) as http:
        boris, anya = Person(http, BORIS), Person(http, ANYA)
        await anya.ask(REVIEW)
        listed = await boris.ask("/models")
        assert listed.text is not None
        assert listed.text.index(f"★ {second}") < listed.text.index(first), "the newest comes first"
        assert data_of(listed) == [f"m:p:{first}", f"m:r:{first}"]

        await boris.tap(listed.message_id, f"m:p:{first}")
        asked = await boris.edited(listed.message_id, listed)
        assert data_of(asked) == [f"m:p!:{first}", "m:no"]
        await boris.tap(listed.message_id, "m:no")
        assert (await boris.edited(listed.message_id, asked)).text == listed.text
        assert registry.get("champion").name == second, "asked only"

        await boris.tap(listed.message_id, f"m:p!:{first}")
        await boris.wait_until(lambda all_: "Готово" in str(all_[-1].text))
        await anya.ask(OTHER_REVIEW)
        again = await boris.ask("/models")
        assert f"m:r:{second}" in data_of(again)
        await boris.tap(again.message_id, f"m:r!:{second}")
        await boris.wait_until(lambda all_: "Готово" in str(all_[-1].text))
        await anya.ask(REVIEW)
        assert await versions_used(read) == [second, first, second]

        # The same tap again has nowhere to go back to.
        old = await boris.ask("/models")
        await boris.tap(old.message_id, f"m:r!:{second}")
        changed = await boris.edited(old.message_id, old)
        assert changed.text == versions.CHANGED.ru
    async with read() as session:
        actions = list(await session.scalars(select(AdminAction).order_by(AdminAction.id)))
    noted = [(one.admin_id, one.action, one.details) for one in actions]
    assert noted == [
        (BORIS, "promote", {"version": first}),
        (BORIS, "rollback", {"version": second}),
    ]


async def test_a_damaged_version_is_refused_and_the_champion_stays(
    registry: Registry, telegram: LocalServer, running_bot: RunningBot, read: Sessions
) -> None:
    first, second = (version.name for version in registry.versions())
    pair = load_models(registry.get(second).path)
    weights = registry.get(first).path / "mean" / "model.safetensors"
    async with running_bot(pair, models=registry.root), chat_client(telegram.url) as http:
        boris = Person(http, BORIS)
        listed = await boris.ask("/models")
        weights.write_bytes(weights.read_bytes()[:-1] + b"?")  # in full size, as after a bad disk
        await boris.tap(listed.message_id, f"m:p!:{first}")
        refused = await boris.edited(listed.message_id, listed)
        assert "model.safetensors" in str(refused.text)
        await boris.ask(REVIEW)
    assert registry.get("champion").name == second
    assert await versions_used(read) == [second]
    async with read() as session:
        assert not list(await session.scalars(select(AdminAction)))


async def test_to_others_it_does_not_exist(
    registry: Registry, telegram: LocalServer, running_bot: RunningBot
) -> None:
    champion, name = registry.get("champion").name, registry.versions()[0].name
    async with (
        running_bot(load_models(registry.get("champion").path), models=registry.root),
        chat_client(telegram.url) as http,
    ):
        anya = Person(http, ANYA)
        unknown = await anya.ask("/models")
        assert unknown.text == conversation.UNKNOWN_COMMAND.ru
        assert await anya.tap_and_wait(unknown.message_id, f"m:p!:{name}") == (
            conversation.TOAST_OLD_BUTTON.ru
        )
        assert "models" not in await anya.commands()
        assert "models" in await Person(http, BORIS).commands()
    assert registry.get("champion").name == champion


@pytest.mark.parametrize(
    ("asks", "said", "written"),
    [(BORIS, "Переобучение", "%d.%m.%Y, 04:30"), (EMILY, "retrainings", "%d %b %Y, 04:30")],
)
async def test_the_next_scheduled_retrainings_are_told(
    registry: Registry,
    telegram: LocalServer,
    running_bot: RunningBot,
    asks: int,
    said: str,
    written: str,
) -> None:
    pair = load_models(registry.get("champion").path)
    changes = {"retrain_cron": "30 4 * * *", "time_zone": "Asia/Yerevan", "admin_ids": [asks]}
    running = running_bot(pair, models=registry.root, **changes)
    async with running as bot, chat_client(telegram.url) as http:
        listed = str((await Person(http, asks).ask("/models")).text)
        times = bot.parts.schedule.next_times("retraining")
    heading, *told = listed.splitlines()[-4:]
    assert said in heading
    assert "(Asia/Yerevan)" in heading
    assert told == [time.strftime(written) for time in times]
    assert len(set(told)) == 3


async def test_in_english(
    registry: Registry, telegram: LocalServer, running_bot: RunningBot
) -> None:
    pair = load_models(registry.get("champion").path)
    running = running_bot(pair, models=registry.root, admin_ids=[EMILY])
    async with running, chat_client(telegram.url) as http:
        listed = await Person(http, EMILY).ask("/models")
    assert versions.EXPLAINED.en in str(listed.text)
