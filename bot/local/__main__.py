"""`python -m bot.local`: the local chat alone, for a bot that is started elsewhere."""

import argparse
import asyncio
import signal
from secrets import token_urlsafe

from bot.local.server import LocalServer


async def serve(port: int) -> None:
    server = LocalServer(port, key=token_urlsafe(16))
    await server.start()
    print(server.page, flush=True)
    print(f"A bot reaches it with BOT_API_URL={server.url}", flush=True)
    print(f"and TELEGRAM_TOKEN={server.token}", flush=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bot.local", description=__doc__)
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port))
    except OSError as error:
        parser.exit(1, f"The local chat can't listen on port {arguments.port}: {error.strerror}.\n")


if __name__ == "__main__":
    main()
