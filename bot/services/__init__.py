"""What the bot decides, with nothing of Telegram in it; services.py builds them all.

May import prediction, monitoring and what is below them, and the two packages beside the bot.
"""
