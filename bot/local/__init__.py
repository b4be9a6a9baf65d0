"""Telegram's Bot API on loopback, in memory, with a chat page: the bot without a token.

- `server`: start, stop and addresses; `__main__` runs it alone; `loopback` keeps other sites out.
- The bot's side: `bot_api` (HTTP), `methods`, `message_content`, `html`, `webhook`.
- The people's side: `page/` in the browser, `chat_api` (HTTP), `chat_requests`.
- What is kept: `state` (messages, ordered faults), `feeds` (updates and events), `files`,
  `commands`, `people`.
- For both sides: `params` (what is asked, and refused), `text`.

Others import `server` and `people`; tests also use `html.parse` and `text.parts`.
"""
