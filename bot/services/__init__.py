"""What the bot decides, with nothing of Telegram in it."""
