"""The Telegram bot: handlers parse and format, services decide."""
