"""`python -m bot.monitoring.probe`: one line on how the bot on this machine is, for Docker.

The exit status is 0 while it is well, trains or starts, so that nobody restarts it, and 1 where it
fails, does not answer in time, or is not there. Reads MONITORING_PORT in the environment alone.
"""

import http.client
import json
import os
import sys

SECONDS_TO_ANSWER = 5.0
GOOD = ("ok", "training", "starting")


def probe(port: int) -> tuple[bool, str]:
    """Whether the bot is to be left alone, and how it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_TO_ANSWER)
    try:
        connection.request("GET", "/healthz")
        told = json.loads(connection.getresponse().read())
        status, problems = told["status"], told["problems"]
    except TimeoutError:
        return False, f"hangs: no answer within {SECONDS_TO_ANSWER:.0f} seconds."
    except OSError as error:
        return False, f"not there: {error.strerror}."
    except (ValueError, KeyError, TypeError, http.client.HTTPException):
        return False, f"port {port} is another program's."
    finally:
        connection.close()
    since = f" for {told['seconds']} seconds" if "seconds" in told else ""
    return status in GOOD, " ".join([f"{status}{since}.", *problems])


def main() -> int:
    port = os.environ.get("MONITORING_PORT", "")
    if not port.isdecimal():
        print("MONITORING_PORT is not set, so that nothing can be asked.")
        return 1
    is_good, told = probe(int(port))
    print(told)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
