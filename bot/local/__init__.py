"""Telegram's Bot API on loopback, in memory, with a chat page: the bot without a token."""
