"""One JSON line an event, and never a token or a review in it."""

import io
import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from typing import Never

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.logs import configure_logging
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.predictors import InventedPredictor

TOKEN = "123456:AAG-secret_secret"
REVIEW = "Скучнейший фильм года"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged at DEBUG; logging is as it was afterwards."""
    names = ["", "bot", "classifier", "db"]
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers
    stream = io.StringIO()
    configure_logging("DEBUG", [TOKEN], stream)
    yield stream
    logging.getLogger().handlers = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_an_event_is_one_json_line(stream: io.StringIO) -> None:
    logging.getLogger("bot.handlers").info(
        "review answered\nindeed", extra={"update_id": 5, "review_id": 7}
    )
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert event["message"] == "review answered\nindeed"
    assert (event["level"], event["logger"]) == ("INFO", "bot.handlers")
    assert (event["update_id"], event["review_id"]) == (5, 7)
    assert event["time"]


def test_for_people_an_event_is_a_line_of_text(stream: io.StringIO) -> None:
    configure_logging("DEBUG", [TOKEN], stream, as_text=True)
    logger = logging.getLogger("bot.handlers")
    logger.info("review\nanswered", extra={"update_id": 5, "of": f"Анна {TOKEN}", "model": "one"})
    try:
        raise sqlite3.OperationalError(f"no such table\n{REVIEW}")
    except sqlite3.OperationalError:
        logger.exception("it failed")
    logging.getLogger("telegram").critical("Received data was: %r", {"text": REVIEW})
    first, second, *traceback, last = stream.getvalue().splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    said = r'bot\.handlers: review\\nanswered update_id=5 of="Анна \[secret\]" model=one'
    assert re.fullmatch(rf"{time} INFO    {said}", first)
    assert re.fullmatch(rf"{time} ERROR   bot\.handlers: it failed", second)
    assert traceback[-1] == "OperationalError: no such table"
    assert last.endswith("telegram: Received data was: %r")
    assert REVIEW not in stream.getvalue()


def test_the_token_is_in_no_line(stream: io.StringIO) -> None:
    url = f"https://api.telegram.org/bot{TOKEN}/getMe"
    logger = logging.getLogger("bot.delivery.polling")
    logger.debug("calling %s", url)
    logger.error(f"called {url}", extra={"url": url, "parts": [{"of": url}]})
    try:
        httpx.get(url.replace("https", "nothing"))
    except httpx.HTTPError:
        logger.exception("it failed")
    try:
        try:
            raise httpx.ConnectError(f"no way to {url}")
        except httpx.ConnectError as error:
            raise RuntimeError(f"{httpx.URL(url).raw_path!r} is away") from error
    except RuntimeError:
        logging.getLogger("telegram").exception("it failed")
    logging.getLogger("httpx").info("HTTP Request: GET %s", url)
    assert len(stream.getvalue().splitlines()) == 4
    assert "secret_secret" not in stream.getvalue()
    assert "[secret]" in stream.getvalue()


def test_others_events_keep_their_words_and_lose_their_values(stream: io.StringIO) -> None:
    logging.getLogger("telegram.ext.Updater").critical("Received data was: %r", {"text": REVIEW})
    logging.getLogger("telegram.ext.Application").debug("Processing update %s", REVIEW)
    logging.getLogger("sqlalchemy.engine.Engine").info("[generated] %r", (REVIEW,))
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "Received data was: %r"


def test_a_refused_row_is_not_quoted(stream: io.StringIO) -> None:
    cause = sqlite3.IntegrityError("CHECK constraint failed: ck_reviews_text")
    try:
        try:
            raise cause
        except sqlite3.IntegrityError:
            raise IntegrityError("INSERT INTO reviews VALUES (?)", (REVIEW,), cause) from cause
    except IntegrityError:
        logging.getLogger("bot.handlers").exception("an update failed")
    event = json.loads(stream.getvalue())
    assert REVIEW not in event["exc_info"]
    assert "CHECK constraint failed" in event["exc_info"]
    assert "test_logs.py" in event["exc_info"]


class BrokenPredictor(InventedPredictor):
    def predict(self, texts: list[str], most_tokens: int | None = None) -> Never:
        raise ValueError(f"https://api.telegram.org/bot{LOCAL_TOKEN}/ is not for models\n{texts}")


@pytest.mark.anyio
async def test_a_conversation_full_of_trouble_leaves_no_token_and_no_review_in_the_logs(
    stream: io.StringIO, telegram: LocalServer, running_bot: RunningBot
) -> None:
    configure_logging("DEBUG", [LOCAL_TOKEN], stream)
    text = f"{REVIEW}, зря потратил вечер и деньги на билет."
    async with chat_client(telegram.url) as http:
        anya = Person(http, 1001)
        await control(http, fail={"method": "sendMessage", "next": 1, "status": 502})
        async with running_bot():
            await anya.ask(text)
        async with running_bot(BrokenPredictor()):
            await anya.ask(text + " Совсем.")
    logged = stream.getvalue()
    events = [json.loads(line) for line in logged.splitlines()]
    assert {"update received", "update is tried again later", "review answered"} <= {
        event["message"] for event in events
    }
    assert "is not for models" in logged
    assert LOCAL_TOKEN not in logged
    for word in ("зря", "билет", "Скучнейший"):
        assert word not in logged
        assert json.dumps(word).strip('"') not in logged
