"""Whether the bot can write to its folders; to a container's volumes it often can't."""

import errno
import glob
import os
from pathlib import Path

from bot.errors import BotError
from classifier.errors import ClassifierError
from classifier.files import make_folder
from db.address import parse_url, sqlite_file


def check_data_folder(database_url: str) -> None:
    """Make the folder of a SQLite database; raises BotError where the bot can't write there."""
    url = parse_url(database_url)
    if url.get_backend_name() != "sqlite":
        return
    file = sqlite_file(url)
    check_folder(file.parent, "DATABASE_URL")
    for path in sorted(file.parent.glob(f"{glob.escape(file.name)}*")):  # with its log and lock
        # SQLite removes a log that nobody uses any more, perhaps since the folder was listed.
        if not os.access(path, os.R_OK | os.W_OK) and path.exists():
            raise BotError(f"{path} (DATABASE_URL) can't be written to. {_owner(path)}")


def check_folder(folder: Path, setting: str) -> None:
    """Make the folder of a setting; raises BotError where no file can be put into it."""
    folder = folder.absolute()
    try:
        make_folder(folder)
    except ClassifierError as error:
        cause = error.__cause__
        if not isinstance(cause, OSError):
            raise BotError(f"{setting}: {error}") from error
        advice = _advice(cause.errno, folder)
        raise BotError(
            f"The folder {folder} ({setting}) can't be written to: {cause.strerror}.{advice}"
        ) from error


def _advice(number: int | None, folder: Path) -> str:
    if number == errno.EROFS:
        return " In a container, mount a volume there, for writing."
    if number in (errno.EACCES, errno.EPERM):
        return f" {_owner(folder)}"
    return ""


def _owner(path: Path) -> str:
    while not path.exists():
        path = path.parent
    owner, own = path.stat().st_uid, os.geteuid()
    if owner == own:
        return f"{path} is the bot's own (user {own}): chmod u+rwX {path} lets it write."
    return (
        f"{path} belongs to user {owner}, and the bot runs as user {own}: `chown -R {own}` of that"
        " folder, on the machine that has it, gives it to the bot."
    )
