"""The Telegram bot, which starts in __main__ and is built in app and run in serving.

delivery brings updates, handlers parse them, services decide, views and texts format the answers;
prediction has the models, monitoring shows the health, local is a Bot API server of its own.
"""
