"""`python3 deploy/ask.py ADDRESS TEXT`: sends a text to the chat page's server, prints the answer.

ADDRESS is what the bot printed, with its key. Needs nothing but Python.
"""

import json
import sys
import time
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

PATIENCE = 60.0  # seconds
PERSON = 1001


def main(address: str, text: str) -> str:
    server = address.partition("/?")[0]
    browser = build_opener(ProxyHandler({}), HTTPCookieProcessor())
    with browser.open(address) as page:  # the key becomes a cookie
        assert b"<html" in page.read().lower()
    body = json.dumps({"user": PERSON, "chat": PERSON, "text": text}).encode()
    headers = {"Content-Type": "application/json", "Origin": server}
    with browser.open(Request(f"{server}/chat/send", body, headers)) as answer:
        sent = json.load(answer)["messages"][-1]["message_id"]
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with browser.open(f"{server}/chat/messages?user={PERSON}&chat={PERSON}") as answer:
            messages = json.load(answer)["messages"]
        for message in messages:
            if message["message_id"] > sent and message["from"]["is_bot"]:
                return str(message["text"])
        time.sleep(0.1)
    sys.exit(f"The bot has not answered within {PATIENCE:.0f} seconds.")


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
