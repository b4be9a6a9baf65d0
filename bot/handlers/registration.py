"""Which handler gets which update."""

from collections.abc import Collection
from typing import Any

from telegram import Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from bot.handlers.admin_only import AdminOnly, Callback
from bot.handlers.answering import Answering
from bot.handlers.command import COMMAND, Command
from bot.handlers.commands import Commands
from bot.handlers.doubts import DoubtTaps
from bot.handlers.error_analysis import ErrorAnalysisCommand
from bot.handlers.groups import MENTIONED, Groups
from bot.handlers.membership import Membership
from bot.handlers.other_kinds import FROM_CHANNEL, OtherKinds
from bot.handlers.retraining import TAPS as RETRAINING_TAPS
from bot.handlers.retraining import Retrainings
from bot.handlers.reviews import TEXT_FILE, Reviews
from bot.handlers.statistics import Stats
from bot.handlers.taps import Taps
from bot.handlers.versions import TAPS as VERSION_TAPS
from bot.handlers.versions import VersionsCommand
from bot.schedule import Schedule
from bot.services.services import Services
from bot.services.turns import Turns
from bot.views.doubts import TAPS as DOUBT_TAPS
from bot.views.error_analysis import TAPS as ANALYSIS_TAPS

NEW = filters.UpdateType.MESSAGE  # neither an edit nor a post in a channel
PRIVATE = NEW & filters.ChatType.PRIVATE
GROUP = NEW & filters.ChatType.GROUPS


def register(
    application: Application[Any, Any, Any, Any, Any, Any],
    services: Services,
    admin_ids: Collection[int],
    schedule: Schedule,
) -> None:
    """Add all handlers. Only the first one that fits an update gets it."""
    admin_only, answering = AdminOnly(admin_ids), Answering(services, application.bot)
    analysis, versions = ErrorAnalysisCommand(services), VersionsCommand(services, schedule)
    retrainings = Retrainings(services, application.bot, admin_ids)
    commands, groups = Commands(services), Groups(answering)
    reviews, others = Reviews(services, answering), OtherKinds(answering, services.albums)
    taps, membership = Taps(services), Membership(services)

    def in_turn(callback: Callback) -> Callback:
        return _in_turn(services.turns, callback)

    application.add_handlers(
        [
            admin_only.command("errors", analysis.command),
            admin_only.taps(ANALYSIS_TAPS, analysis.tapped),
            admin_only.taps(DOUBT_TAPS, in_turn(DoubtTaps(services).tapped)),
            admin_only.command("stats", Stats(services).command),
            admin_only.command("models", versions.command),
            admin_only.taps(VERSION_TAPS, in_turn(versions.tapped)),
            admin_only.command("retrain", retrainings.command),
            admin_only.taps(RETRAINING_TAPS, retrainings.tapped),
            Command("start", commands.start, PRIVATE),
            Command("help", commands.help, NEW),
            Command("privacy", commands.privacy, NEW),
            Command("history", commands.history, PRIVATE),
            Command("export", commands.export, PRIVATE),
            Command("forget", commands.forget, PRIVATE),
            Command("rate", commands.rate, PRIVATE & ~TEXT_FILE),
            Command("rate", in_turn(groups.rate), GROUP),
            Command(["history", "export", "forget"], commands.private_only, GROUP),
            MessageHandler(PRIVATE & COMMAND & ~TEXT_FILE, commands.unknown),
            MessageHandler(PRIVATE & FROM_CHANNEL, others.channel_post),
            MessageHandler(PRIVATE & filters.TEXT, in_turn(reviews.text)),
            MessageHandler(PRIVATE & TEXT_FILE, in_turn(reviews.document)),
            MessageHandler(GROUP & filters.StatusUpdate.MIGRATE, membership.moved),
            MessageHandler(PRIVATE & ~filters.StatusUpdate.ALL, in_turn(others.other)),
            MessageHandler(GROUP & MENTIONED, in_turn(groups.rate)),
            MessageHandler(filters.UpdateType.EDITED_MESSAGE, in_turn(reviews.edited)),
            CallbackQueryHandler(in_turn(taps.tapped)),
            ChatMemberHandler(membership.changed, ChatMemberHandler.MY_CHAT_MEMBER),
        ]
    )
    application.add_error_handler(membership.failed)


def _in_turn(turns: Turns, callback: Callback) -> Callback:
    """Run the callback once earlier updates about the same message are done.

    An edit waits until the message itself is answered, and after two quick taps the message shows
    the rating that is stored.
    """

    async def run(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        message = update.effective_message if query is None else query.message
        if message is None:
            await callback(update, context)
            return
        async with turns.of_message(message.chat.id, message.message_id):
            await callback(update, context)

    return run
