"""The local chat's page in a real Chromium: alone, with the test as the bot, and with the bot."""

from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyParameters,
)

from bot.local.people import LOCAL_ADMIN_ID
from bot.local.server import LOCAL_TOKEN, LocalServer
from tests.bot.browser import Page, find_chromium, running_chromium
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client

pytestmark = pytest.mark.anyio

ANYA, EMILY, GROUP = 1001, 1003, -1001
PHONE, DESKTOP = (360, 740), (1280, 800)
REVIEW = "Смотрел дважды, и оба раза не отпускало до титров. Музыка чудесная, актёры живут в кадре."


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = find_chromium()
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with running_chromium(program, tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture
async def bot(telegram: LocalServer) -> AsyncIterator[Bot]:
    """For the tests that play the bot themselves."""
    async with Bot(LOCAL_TOKEN, base_url=f"{telegram.url}/bot") as bot:
        yield bot


@pytest.fixture
async def http(telegram: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with chat_client(telegram.url) as http:
        yield http


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
async def test_a_review_is_answered_by_both_models_and_rated(
    chromium: str, telegram: LocalServer, running_bot: RunningBot, size: tuple[int, int]
) -> None:
    async with running_bot(), await Page.open(chromium, telegram.url, size) as page:
        await page.click("#start")
        await page.until("document.querySelectorAll('.other').length === 1")
        await page.click("#field")
        await page.write(REVIEW)
        await page.press("Enter")
        await page.until("document.querySelector('.with-keyboard')")
        for model in ("CLS", "Mean"):
            await page.shows(model, ".with-keyboard .text")
        await page.click(".keyboard button", "9")
        await page.shows("Ваша оценка: 9", ".with-keyboard .text")
        await page.click(".keyboard button", "4")
        await page.shows("Ваша оценка: 4", ".with-keyboard .text")
        await page.reload()
        await page.shows("Ваша оценка: 4", ".with-keyboard .text")
        assert page.errors == []


async def test_the_admin_has_a_chat_of_their_own(
    chromium: str, telegram: LocalServer, running_bot: RunningBot
) -> None:
    async with running_bot(), await Page.open(chromium, telegram.url) as page:
        await page.click("#start")
        await page.until("document.querySelector('.other')")
        await page.click(".person", "Борис")
        await page.until("!document.querySelector('.message')")
        assert "админ" in (await page.texts(".person[aria-current]"))[0]
        await page.click("#start")
        await page.until("document.querySelector('.other')")
        await page.click(".person", "Аня")
        await page.until("document.querySelectorAll('.message').length === 2")


async def test_an_english_user_reads_english(
    chromium: str, telegram: LocalServer, running_bot: RunningBot
) -> None:
    async with running_bot(), await Page.open(chromium, telegram.url) as page:
        await page.click(".person", "Emily")
        await page.click("#start", "Start")
        await page.until("document.querySelector('.other')")
        assert await page.evaluate("document.documentElement.lang") == "en"
        await page.click("#field")
        await page.write(REVIEW)
        await page.press("Enter")
        await page.shows("Good", ".with-keyboard .text")


async def test_a_text_file_is_a_review(
    chromium: str, telegram: LocalServer, running_bot: RunningBot, tmp_path: Path
) -> None:
    file = tmp_path / "рецензия.txt"
    file.write_text(REVIEW, encoding="utf-8")
    async with running_bot(), await Page.open(chromium, telegram.url) as page:
        await page.click("#start")
        await page.click("#attach")
        await page.click(".item", "Файл, например .txt")
        await page.choose_file("#picker", file)
        await page.shows("рецензия.txt", ".own .file")
        await page.shows("CLS", ".with-keyboard .text")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
async def test_nothing_is_wider_than_the_window(
    chromium: str,
    telegram: LocalServer,
    http: httpx.AsyncClient,
    bot: Bot,
    size: tuple[int, int],
    dark: bool,
) -> None:
    keys = [[InlineKeyboardButton(str(n), callback_data=str(n)) for n in range(6)]]
    text = f"<pre>{'x' * 300}</pre>" + "★★★★★★★★☆☆ 8 из 10 (±1: 72 %)\n" * 3
    for chat in (ANYA, GROUP):
        sent = await Person(http, ANYA, chat).send("Ш" * 500)
        await bot.send_message(
            chat,
            text,
            "HTML",
            reply_markup=InlineKeyboardMarkup(keys),
            reply_parameters=ReplyParameters(sent[0].message_id),
        )
    for place in (f"#{ANYA}/{ANYA}", f"#{ANYA}/{GROUP}", f"#{ANYA}"):
        async with await Page.open(chromium, telegram.url + place, size, dark=dark) as page:
            for box in ("document.documentElement", "document.querySelector('#log')"):
                assert await page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth"), place
            background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (background != "rgb(255, 255, 255)") is dark


async def test_markup_in_a_text_is_shown_as_text(
    chromium: str, telegram: LocalServer, http: httpx.AsyncClient, bot: Bot
) -> None:
    evil = "<img src=x onerror='document.title=1'><script>document.title=2</script>&amp;</div>"
    await Person(http, ANYA).send(evil)
    await Person(http, LOCAL_ADMIN_ID, GROUP).send(evil)
    await bot.send_message(ANYA, evil)
    async with await Page.open(chromium, telegram.url) as page:
        for text in await page.texts(".message .text"):
            assert text.startswith(evil)
        assert len(await page.texts(".message .text")) == 2
        assert evil in (await page.texts(".chat-last"))[1]
        assert (
            await page.evaluate("document.querySelectorAll('.text img, .text script').length") == 0
        )
        assert await page.evaluate("document.title") == "Kinorate"


async def test_entities_are_drawn_where_they_are(
    chromium: str, telegram: LocalServer, bot: Bot
) -> None:
    await bot.send_message(ANYA, "🎬🎬 <i>a <b>b</b> c</i> <code>d</code> /help", "HTML")
    async with await Page.open(chromium, telegram.url) as page:
        for selector, text in {".text i": "a b c", ".text i b": "b", ".text code": "d"}.items():
            assert await page.texts(selector) == [text]
        await page.click(".inline-command")
        await page.shows("/help", ".own")


async def test_a_restarted_server_is_found_again(chromium: str, telegram: LocalServer) -> None:
    async with await Page.open(chromium, telegram.url) as page:
        await page.click("#start")
        await page.shows("/start", ".own")
        await telegram.stop()
        await page.shows("Нет связи с сервером")
        restarted = LocalServer(telegram.port)
        await restarted.start()
        try:
            await page.shows("Прежняя переписка в нём не сохранилась", "#toast")
            assert await page.evaluate("document.querySelector('#lost').hidden")
            await page.click("#start")
            await page.shows("/start", ".own")
        finally:
            await restarted.stop()


async def test_a_tap_waits_for_the_bots_answer(
    chromium: str, telegram: LocalServer, bot: Bot
) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Да", callback_data="yes")]])
    await bot.send_message(ANYA, "Стереть всё?", reply_markup=keyboard)
    async with await Page.open(chromium, telegram.url) as page:
        await page.click(".keyboard button", "Да")
        await page.until("document.querySelector('.waiting')")
        update = (await bot.get_updates(timeout=5, allowed_updates=["callback_query"]))[-1]
        assert update.callback_query is not None
        assert update.callback_query.data == "yes"
        await update.callback_query.answer("Стёрто")
        await page.shows("Стёрто", "#toast")
        await page.until("!document.querySelector('.waiting')")


async def test_it_works_with_the_keyboard_alone(
    chromium: str, telegram: LocalServer, bot: Bot
) -> None:
    await bot.set_my_commands([BotCommand("help", "Помощь"), BotCommand("history", "Рецензии")])
    await bot.send_message(ANYA, "Здравствуйте")
    async with await Page.open(chromium, telegram.url) as page:
        await page.write("/h")
        await page.until("document.querySelectorAll('.item').length === 2")
        await page.press("ArrowUp")
        await page.press("Enter")
        await page.shows("/history", ".own")
        await page.write("Опечятка")
        await page.press("Enter")
        await page.shows("Опечятка", ".own.ends")
        await page.press("ArrowUp")
        await page.shows("Изменение сообщения", "#strip")
        await page.evaluate("document.activeElement.select()")
        await page.write("Опечатка")
        await page.press("Enter")
        await page.shows("Опечатка", ".own.ends")
        await page.shows("изменено", ".own.ends .meta")


@pytest.mark.parametrize(("size", "opener"), [(PHONE, ".text"), (DESKTOP, ".more")])
async def test_replying_and_deleting_from_a_messages_menu(
    chromium: str,
    telegram: LocalServer,
    http: httpx.AsyncClient,
    size: tuple[int, int],
    opener: str,
) -> None:
    await Person(http, EMILY, GROUP).send("Тихий и красивый фильм")
    async with await Page.open(chromium, f"{telegram.url}#{ANYA}/{GROUP}", size) as page:
        await page.click(f".other {opener}")
        await page.click(".item", "Ответить")
        await page.write("/rate")
        await page.press("Enter")
        await page.shows("Тихий и красивый фильм", ".own .quote")
        await page.click(f".own {opener}")
        await page.click(".item", "Удалить")
        await page.until("!document.querySelector('.own')")


async def test_what_comes_in_another_chat_is_counted(
    chromium: str, telegram: LocalServer, http: httpx.AsyncClient, bot: Bot
) -> None:
    async with await Page.open(chromium, telegram.url) as page:
        await Person(http, EMILY, GROUP).send("Кто был в кино?")
        await page.shows("1", ".unread")
        await bot.send_chat_action(ANYA, "typing")
        await page.shows("печатает", "#subtitle")
        await bot.send_message(ANYA, "Здравствуйте")
        await page.until("document.querySelector('#typing').hidden")
        await page.click(".chat", "Киноклуб")
        await page.shows("Кто был в кино?", "#messages")
        await page.until("!document.querySelector('.unread')")


async def test_a_photo_opens_large(chromium: str, telegram: LocalServer, bot: Bot) -> None:
    drawn = BytesIO()
    Image.new("RGB", (800, 500), "teal").save(drawn, "PNG")
    await bot.send_photo(ANYA, drawn.getvalue(), caption="Точность за неделю")
    async with await Page.open(chromium, telegram.url) as page:
        await page.click(".photo")
        await page.until("document.querySelector('#photo').naturalWidth === 800")
        await page.until("document.querySelector('#viewer').open")
        await page.press("Escape")
        await page.until("!document.querySelector('#viewer').open")
