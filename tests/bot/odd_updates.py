"""Updates of every kind, made from the fields that the Bot API's classes have, and then spoilt."""

import inspect
import random
import sys
import types
import typing
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import telegram
from telegram import TelegramObject, Update

from bot.delivery.raw_updates import ALLOWED_UPDATES
from tests.bot.talking import ANYA, BORIS, GROUP, REVIEW

Json = dict[str, Any]

DEEPEST = 4
TEXTS = (
    *("", " ", "ok", REVIEW, "/start", "/rate", "/stats", "/нет такой", "@kinorate_bot", "\x00"),
    *(
        "\ud83d",
        "😊" * 50,
        "а" * 4096,
        "<b>&lt;",
        "rate:1:5",
        "rate:99999999999999999999:5",
        "%s {}",
    ),
    *(
        "private",
        "group",
        "supergroup",
        "channel",
        "member",
        "kicked",
        "left",
        "user",
        "hidden_user",
    ),
)
IDS = (0, 1, -1, 7, ANYA, BORIS, GROUP, -1001234567890, 2**31, 2**52, 2**63 - 1)
ODD: tuple[Any, ...] = (
    *(None, True, False, -1, 2**63, 2**80, 10**4000, 0.5, 1e300, "", "5", "\x00", "\udfff", [], {}),
    *([None], [[]], {"": ""}, [{"id": []}], {"id": 5}, "а" * 100_000, float("nan"), float("inf")),
)
VARIANTS: dict[type[TelegramObject], tuple[str, dict[str, type[TelegramObject]]]] = {
    telegram.ChatMember: (
        "status",
        {
            "member": telegram.ChatMemberMember,
            "left": telegram.ChatMemberLeft,
            "kicked": telegram.ChatMemberBanned,
        },
    ),
    telegram.MessageOrigin: (
        "type",
        {
            "user": telegram.MessageOriginUser,
            "hidden_user": telegram.MessageOriginHiddenUser,
            "channel": telegram.MessageOriginChannel,
        },
    ),
}
CHATS = (
    {"id": ANYA, "type": "private"},
    {"id": 5_000_000, "type": "private"},
    {"id": GROUP, "type": "group"},
    {"id": -100500, "type": "supergroup", "title": "Кино"},
    {"id": -100600, "type": "channel", "title": "Канал"},
)


class OddUpdates:
    """Makes an endless variety, the same from the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._kinds = _fields(Update)
        del self._kinds["update_id"]

    def content(self) -> Json:
        """All of an update but its id."""
        handled = self._chance.random() < 0.5
        kind = self._chance.choice(ALLOWED_UPDATES if handled else list(self._kinds))
        update = {kind: self._made(self._kinds[kind], kind, 0)}
        for _ in range(self._chance.choice((0, 0, 1, 1, 2, 5))):
            self._spoil(update)
        return update

    def _made(self, hint: Any, name: str, depth: int) -> Any:
        origin, parts = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, types.UnionType):
            return self._made(
                self._chance.choice([p for p in parts if p is not types.NoneType]), name, depth
            )
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return [self._made(parts[0], name, depth + 1) for _ in range(self._chance.randrange(3))]
        if inspect.isclass(hint) and issubclass(hint, TelegramObject):
            return self._object(hint, depth)
        return self._value(hint, name)

    def _value(self, hint: Any, name: str) -> Any:
        if hint is bool:
            return self._chance.random() < 0.5
        if hint is int or hint is float or hint in (datetime, timedelta):
            dates = hint is datetime or "date" in name or "time" in name
            return 1_770_000_000 + self._chance.randrange(10**6) if dates else self._number(name)
        return self._chance.choice(TEXTS)

    def _number(self, name: str) -> int:
        return self._chance.choice(IDS) if name.endswith("id") else self._chance.randrange(40)

    def _object(self, kind: type[TelegramObject], depth: int) -> Any:
        if kind is telegram.Chat and self._chance.random() < 0.9:
            return dict(self._chance.choice(CHATS))
        if kind is telegram.Message and depth > 1:  # as Telegram does, not to no end
            kind = telegram.InaccessibleMessage
        discriminator = {}
        if kind in VARIANTS:
            field, variants = VARIANTS[kind]
            discriminator[field] = self._chance.choice(list(variants))
            kind = variants[discriminator[field]]
        fields = _fields(kind)
        needed = {
            name
            for name, each in inspect.signature(kind.__init__).parameters.items()
            if each.default is inspect.Parameter.empty
        }
        usual = 0.0 if depth >= DEEPEST else 0.02 if kind is telegram.Message else 0.3
        made = {
            name: self._made(hint, name, depth + 1)
            for name, hint in fields.items()
            if name in needed or name in ("from_user", "text") or self._chance.random() < usual
        }
        if "from_user" in made:
            made["from"] = made.pop("from_user")
        if str(made.get("text")).startswith("/"):
            length = len(made["text"].split()[0])
            made["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return made | discriminator

    def _spoil(self, update: Json) -> None:
        """Take a field away, or give it a value that it can't have."""
        within: Any = update
        while True:
            place = self._chance.choice(
                list(within) if isinstance(within, dict) else range(len(within))
            )
            inner = within[place]
            if not isinstance(inner, dict | list) or not inner or self._chance.random() < 0.3:
                break
            within = inner
        if self._chance.random() < 0.3:
            del within[place]
            if not update:
                update["message"] = None
        else:
            within[place] = self._chance.choice(ODD)


def _fields(kind: type[TelegramObject]) -> dict[str, Any]:
    """The types of a class's fields by name."""
    names = {**vars(typing), **vars(telegram), **vars(sys.modules[kind.__module__])}
    hints = typing.get_type_hints(kind.__init__, names, vars(telegram))
    return {name: hint for name, hint in hints.items() if name not in ("return", "api_kwargs")}
