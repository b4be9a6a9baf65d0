"""What a bot needs of its machine: folders, room, free ports, a champion that is whole."""

import shutil
import socket
from pathlib import Path

from bot.commands.finding import Finding, Grade
from bot.errors import BotError
from bot.folders import check_data_folder, check_folder
from bot.settings import Settings
from classifier.errors import ClassifierError
from classifier.registry.registry import Registry

LEAST_ROOM = 200_000_000
"""Bytes, below which a bot may soon be unable to store what it is sent."""

VERSIONS_OF_ROOM = 3
"""A retraining needs this many times a version's size: checkpoints, the version, its staging."""


def check_folders(settings: Settings) -> list[Finding]:
    """Those of the data and of the models: there, or to be made, and this user's to write to."""
    return [_folder(settings.data_folder, "DATA", settings), _folder(settings.models, "MODELS")]


def _folder(folder: Path, setting: str, settings: Settings | None = None) -> Finding:
    subject = f"{setting} ({folder})"
    try:
        if not folder.exists():
            check_folder(_nearest(folder), setting)
            return Finding("ok", subject, "isn't there yet, and can be made")
        check_folder(folder, setting)
        if settings is not None:
            check_data_folder(settings.database_url)
            if (backups := settings.backups.folder).exists():
                check_folder(backups, setting)
    except BotError as error:
        return Finding("wrong", subject, str(error))
    return Finding("ok", subject, "can be written to")


def _nearest(folder: Path) -> Path:
    """What exists of the way to a folder."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def check_room(settings: Settings) -> list[Finding]:
    """For what people send and a backup of it, and for a retraining."""
    file = settings.backups.sqlite_file
    size = file.stat().st_size if file and file.exists() else 0
    champion = _size(settings.models)
    needed = {
        "data": (settings.data_folder, 2 * size, "another copy of the database and its rewriting"),
        "models": (settings.models, VERSIONS_OF_ROOM * champion, "a retraining"),
    }
    findings = []
    for name, (folder, bytes_needed, purpose) in needed.items():
        free = shutil.disk_usage(_nearest(folder)).free
        subject, says = f"room for {name}", f"{free / 1e9:,.1f} GB are free"
        if free < LEAST_ROOM:
            says += f", less than {LEAST_ROOM / 1e9:.1f}"
            findings.append(Finding("wrong", subject, says))
        elif free < bytes_needed:
            says += f"; {purpose} would take {bytes_needed / 1e9:,.1f}"
            findings.append(Finding("warning", subject, says))
        else:
            findings.append(Finding("ok", subject, says))
    return findings


def _size(models: Path) -> int:
    """Of the champion's files, 0 without one; its own check tells why."""
    try:
        champion = Registry(models).champion()
    except (ClassifierError, OSError):
        return 0
    return sum(entry["size"] for entry in champion.manifest().values()) if champion else 0


def check_champion(settings: Settings) -> list[Finding]:
    """It is there, and each of its files is the one that was published."""
    models = settings.models
    try:
        champion = Registry(models).champion()
        if champion is not None:
            champion.verify()
            return [Finding("ok", "champion", f"{champion.name}, all its files are sound")]
    except ClassifierError as error:
        return [Finding("wrong", "champion", str(error))]
    except OSError as error:
        says = f"{error.filename} can't be read: {error.strerror}"
        return [Finding("wrong", "champion", says)]
    if settings.first_training_minutes:
        return [
            Finding("ok", "champion", f"there is none yet in {models}: the bot trains it first")
        ]
    says = f"there is none in {models}" if models.exists() else f"the folder {models} is missing"
    advice = "is its volume mounted? `make run` trains one, so does FIRST_TRAINING_MINUTES"
    return [Finding("wrong", "champion", f"{says}: {advice}")]


def check_ports(settings: Settings, runs: bool) -> list[Finding]:
    """Those that the bot is going to listen on are free, unless a bot has them already."""
    wanted = {}
    if settings.monitoring_port:
        wanted["MONITORING_PORT"] = (settings.monitoring_host, settings.monitoring_port)
    if settings.webhook_url:
        wanted["WEBHOOK_PORT"] = (settings.webhook_host, settings.webhook_port)
    if not settings.telegram_token:
        wanted["LOCAL_PORT"] = (settings.local_host, settings.local_port)
    findings = []
    for name, address in wanted.items():
        try:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            grade: Grade = "warning" if runs else "wrong"
            says = f"port {address[1]} of {address[0]} can't be listened on: {error.strerror}"
            findings.append(Finding(grade, name, says + (" (a bot runs)" if runs else "")))
        else:
            findings.append(Finding("ok", name, f"port {address[1]} of {address[0]} is free"))
    return findings
