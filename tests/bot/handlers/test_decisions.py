"""The gate's decisions, shown to admins: in words and as a chart, then and later."""

import io
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image
from telegram import Message

from bot.local.server import LocalServer
from bot.prediction.live_models import load_models
from bot.texts import conversation
from bot.texts.locale import ENGLISH, RUSSIAN
from bot.views.decision_chart import draw_decision
from classifier.data.reviews import load_reviews
from classifier.evaluation.gate import judge
from classifier.evaluation.limits import Limits
from classifier.registry.registry import Registry
from db.engine import Sessions
from db.models import TrainingRun
from tests import tiny
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import BORIS, buttons_of

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Judged:
    """Two versions that have learnt nothing, and what the gate makes of the later one."""

    registry: Registry
    decision: dict[str, Any]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, two_versions: Path) -> Judged:
    folder = tmp_path_factory.mktemp("judged")
    registry = Registry(Path(shutil.copytree(two_versions, folder / "models")))
    old, new = registry.versions()
    registry.promote(old.name)
    holdout, rated = (_reviews(folder / f"{seed}.jsonl", seed) for seed in (1, 2))
    device, cache = torch.device("cpu"), folder / "cache"
    with patch("classifier.evaluation.gate.LIMITS", Limits(in_short=12)):
        decision = judge(old, new, holdout, rated, device=device, cache=cache)
    # As the database gives it back.
    return Judged(registry, json.loads(json.dumps(decision.as_json())))


def _reviews(file: Path, seed: int) -> Any:
    lines = [json.dumps(row, ensure_ascii=False) for row in tiny.make_rows(60, seed)]
    file.write_text("\n".join(lines), "utf-8")
    return load_reviews(str(file)).rows


def _reds(drawn: Image.Image) -> int:
    """How many pixels are of the colour of what failed, or nearly."""
    pixels = np.asarray(drawn.convert("RGB")).astype(int)
    return int((np.abs(pixels - (179, 38, 30)).sum(axis=2) < 12).sum())


def image(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("without_rated", [False, True])
def test_the_chart(judged: Judged, without_rated: bool) -> None:
    decision = judged.decision
    if without_rated:
        figures = {"holdout": decision["figures"]["holdout"]}
        checks = [
            each for each in decision["checks"] if each["name"] not in ("feedback", "in_short")
        ]
        decision = decision | {"figures": figures, "checks": checks}
    for locale in (RUSSIAN, ENGLISH):
        passed, failed = (
            [check | {"passed": is_passed} for check in decision["checks"]]
            for is_passed in (True, False)
        )
        unmarked, marked = (
            image(draw_decision(decision | {"checks": checks}, locale))
            for checks in (passed, failed)
        )
        assert marked.size == unmarked.size == (1050, 1590)
        assert _reds(marked) > 3 * _reds(unmarked), "what failed is marked"


async def test_a_stored_decision_is_shown_again(
    judged: Judged, telegram: LocalServer, running_bot: RunningBot, write: Sessions
) -> None:
    registry, decision = judged.registry, judged.decision
    old, new = (version.name for version in registry.versions())
    async with write.begin() as session:
        session.add(
            TrainingRun(
                trigger="schedule",
                status="refused",
                started_at=NOW,
                finished_at=NOW,
                version=new,
                figures=decision,
                reason=decision["reason"],
            )
        )
    pair = load_models(registry.get("champion").path)
    async with running_bot(pair, models=registry.root), chat_client(telegram.url) as http:
        boris = Person(http, BORIS)
        listed = await boris.ask("/models")
        assert f"{new}\u00a0— ⛔ не принята" in str(listed.text)
        taps = [data for row in buttons_of(listed) for _, data in row]
        assert [data for data in taps if data.startswith("m:d:")] == [f"m:d:{new}"]
        await boris.tap(listed.message_id, f"m:d:{new}")

        def with_photo(messages: list[Message]) -> bool:
            return any(message.photo for message in messages)

        text, photo = (await boris.wait_until(with_photo))[-2:]
        assert str(text.text).startswith(f"⛔ Версия {new} не принята вместо {old}\n02.03.2026, ")
        assert "macro F1 по 256 токенам, нижняя граница разницы" in str(text.text)
        assert str(text.text).count("\n✓") + str(text.text).count("\n✗") == len(decision["checks"])
        assert str(photo.caption).startswith(f"Прежняя\u00a0— {old}, новая\u00a0— {new}.")
        content = (await http.get(f"/chat/file/{photo.photo[-1].file_id}")).content
        assert image(content).width == 1050
        # One that nothing is known of, as from an old button.
        assert await boris.tap_and_wait(listed.message_id, f"m:d:{old}") == (
            conversation.TOAST_OLD_BUTTON.ru
        )
