"""What the bot does with each kind of update."""

from typing import Any

from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from bot.handlers.answering import Answering
from bot.handlers.commands import Commands
from bot.handlers.groups import MENTIONED, Groups
from bot.handlers.membership import Membership
from bot.handlers.other_kinds import OtherKinds
from bot.handlers.reviews import FROM_CHANNEL, TEXT_FILE, Reviews
from bot.handlers.taps import Taps
from bot.services.services import Services

NEW = filters.UpdateType.MESSAGE  # neither an edit nor a post in a channel
PRIVATE = NEW & filters.ChatType.PRIVATE
GROUP = NEW & filters.ChatType.GROUPS


def register(application: Application[Any, Any, Any, Any, Any, Any], services: Services) -> None:
    """Add all handlers. Of those that fit an update, the first one added has it to itself."""
    answering = Answering(services)
    _add_commands(application, Commands(services), Groups(answering))
    reviews, groups = Reviews(services, answering), Groups(answering)
    others, membership = OtherKinds(answering), Membership(services)
    for handler in (
        MessageHandler(PRIVATE & filters.COMMAND, Commands(services).unknown),
        MessageHandler(PRIVATE & FROM_CHANNEL, others.channel_post),
        MessageHandler(PRIVATE & filters.TEXT, reviews.text),
        MessageHandler(PRIVATE & TEXT_FILE, reviews.document),
        MessageHandler(PRIVATE & ~filters.StatusUpdate.ALL, others.other),
        MessageHandler(GROUP & MENTIONED, groups.mentioned),
        MessageHandler(filters.UpdateType.EDITED_MESSAGE, reviews.edited),
        CallbackQueryHandler(Taps(services).tap),
        ChatMemberHandler(membership.changed, ChatMemberHandler.MY_CHAT_MEMBER),
    ):
        application.add_handler(handler)
    application.add_error_handler(membership.unreachable)


def _add_commands(
    application: Application[Any, Any, Any, Any, Any, Any], commands: Commands, groups: Groups
) -> None:
    both = {"help": commands.help, "privacy": commands.privacy}
    private = {
        "start": commands.start,
        "rate": commands.rate,
        "history": commands.history,
        "export": commands.export,
        "forget": commands.forget,
    }
    for name, callback in both.items():
        application.add_handler(CommandHandler(name, callback, NEW))
    for name, callback in private.items():
        application.add_handler(CommandHandler(name, callback, PRIVATE))
    application.add_handler(CommandHandler("rate", groups.rate, GROUP))
    personal = ["history", "export", "forget"]
    application.add_handler(CommandHandler(personal, commands.private_only, GROUP))
