"""What can be set, by environment variables, a file .env, or a folder with a file for each secret.

Each has a line in .env.example.
"""

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import BotError
from bot.schedule import CronTrigger
from bot.secret_files import problems_of
from bot.storage.backups import Backups
from db.address import DatabaseError, parse_url, sqlite_file
from db.engine import DEFAULT_URL


class SettingsError(BotError):
    """Sentences for the operator, one a problem: which setting, and what it must be."""


def _checked(check: Callable[[Any], object]) -> AfterValidator:
    """Takes a value as it is, unless the check raises ValueError or DatabaseError."""

    def validate(value: Any) -> Any:
        try:
            check(value)
        except DatabaseError as error:
            raise ValueError(str(error)) from error
        return value

    return AfterValidator(validate)


def _matches(pattern: str) -> AfterValidator:
    """Takes a secret that the pattern fits as a whole."""

    def check(secret: SecretStr) -> None:
        if not re.fullmatch(pattern, secret.get_secret_value(), re.ASCII):
            raise ValueError

    return _checked(check)


def _server(url: str) -> str:
    if _web_address(url).scheme not in ("http", "https"):
        raise ValueError
    return url.rstrip("/")


def _check_webhook(url: str) -> None:
    parts = _web_address(url)
    # Telegram calls https:// alone; the local Bot API server calls this machine.
    is_loopback = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
        raise ValueError


def _web_address(url: str) -> SplitResult:
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0 or parts.query or parts.fragment:
        raise ValueError  # `parts.port` raises it too, where the port is no number
    return parts


def _split_ids(ids: Any) -> Any:
    return [part for part in ids.split(",") if part.strip()] if isinstance(ids, str) else ids


def _upper(level: Any) -> Any:
    return level.upper() if isinstance(level, str) else level


def _check_cron(line: str) -> None:
    CronTrigger(line, ZoneInfo("UTC"))


Host = Annotated[
    str,
    _checked(ipaddress.ip_address),
    Field(description="the IP address to listen on, such as 127.0.0.1 or 0.0.0.0"),
]
Port = Annotated[int, Field(ge=1, le=65535, description="a port from 1 to 65535")]
Count = Annotated[int, Field(ge=1, description="a whole number of at least 1")]


class Settings(BaseSettings):
    """A description says what a value must be; the operator reads it when it isn't that."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # NAME= in .env means the default
        extra="ignore",  # .env may hold what other programs read
        hide_input_in_errors=True,
    )

    telegram_token: Annotated[SecretStr, _matches(r"\d+:[\w-]+")] | None = Field(
        None, description="the bot's token as @BotFather gave it, such as 123456:ABC-def"
    )
    admin_ids: Annotated[list[int], NoDecode, BeforeValidator(_split_ids)] = Field(
        [], description="Telegram user ids with commas between them, such as 1001,1002"
    )
    database_url: Annotated[str, _checked(parse_url)] = Field(
        DEFAULT_URL,
        description="sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE",
    )
    data: Path | None = Field(None, description="the folder of backups and temporary files")
    models: Path = Field(Path("models"), description="the folder of the model versions")
    first_training_minutes: Count | None = Field(
        None, description="a whole number of minutes, at least 1"
    )
    bot_api_url: Annotated[str, AfterValidator(_server)] = Field(
        "https://api.telegram.org",
        description="the address of a Bot API server, such as https://api.telegram.org",
    )
    webhook_url: Annotated[str, _checked(_check_webhook)] | None = Field(
        None, description="the https:// address at which Telegram reaches this bot"
    )
    # What Telegram takes.
    webhook_secret: Annotated[SecretStr, _matches(r"[\w-]{1,256}")] | None = Field(
        None, description="1 to 256 letters A-Z a-z, digits, _ and -; whatever you like"
    )
    webhook_host: Host = "127.0.0.1"
    webhook_port: Port = 8443
    local_host: Host = "127.0.0.1"
    local_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8081, description="a port from 1 to 65535, or 0 for any free one"
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = (
        Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="json (for machines) or text (for people)"
    )
    reviews_per_minute: Count = 10
    waiting_reviews: Count = 200
    ask_uncertain_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="a share from 0 to 1, such as 0.2"
    )
    retrain_cron: Annotated[str, _checked(_check_cron)] | None = Field(
        None, description="a cron line of five fields, such as 0 4 * * 1 (Mondays at four)"
    )
    retrain_min_feedback: Count = 50
    backup_cron: Annotated[str, _checked(_check_cron)] | None = Field(
        None, description="a cron line of five fields, such as 30 2 * * * (each night)"
    )
    backups_kept: Count = 5
    time_zone: ZoneInfo = Field(
        ZoneInfo("UTC"), description="the name of a time zone, such as Europe/Moscow"
    )
    monitoring_host: Host = "127.0.0.1"
    monitoring_port: Port | None = Field(None, description="a port from 1 to 65535")

    @model_validator(mode="after")
    def _webhook_is_whole(self) -> "Settings":
        if self.webhook_url and not self.telegram_token:
            raise ValueError("TELEGRAM_TOKEN is missing: with WEBHOOK_URL the bot needs it.")
        if self.webhook_url and not self.webhook_secret:
            raise ValueError(
                "WEBHOOK_SECRET is missing: with WEBHOOK_URL the bot needs it, to recognise"
                " Telegram. Choose any 1 to 256 letters A-Z a-z, digits, _ and -."
            )
        return self

    @property
    def secrets(self) -> list[str]:
        """What no log may show."""
        given = (self.telegram_token, self.webhook_secret)
        return [secret.get_secret_value() for secret in given if secret]

    @property
    def data_folder(self) -> Path:
        """DATA; by default the folder of the SQLite file."""
        parsed = parse_url(self.database_url)
        if self.data or parsed.get_backend_name() != "sqlite":
            return self.data or Path("data")
        return sqlite_file(parsed).parent

    @property
    def backups(self) -> Backups:
        return Backups(self.database_url, self.data_folder / "backups", self.backups_kept)


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """The settings from the environment, `env_file`, which need not exist, and SECRETS_DIR's files.

    What comes first in this list counts. Raises SettingsError, which shows no value: it may be a
    secret.
    """
    secrets = os.environ.get("SECRETS_DIR") or None
    if secrets and (problems := [*problems_of(Path(secrets), Settings.model_fields)]):
        raise SettingsError("\n".join(problems))
    try:
        # mypy knows only the fields.
        return Settings(_env_file=env_file, _secrets_dir=secrets)  # type: ignore[call-arg]
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{env_file} can't be read: it must be a text file in UTF-8.") from None


def _sentences(error: ValidationError) -> list[str]:
    sentences = {}
    places = ", in .env or in SECRETS_DIR" if os.environ.get("SECRETS_DIR") else " or in .env"
    for problem in error.errors(include_input=False, include_url=False):
        if not problem["loc"]:  # of several settings together
            return [str(problem["ctx"]["error"])]
        name = str(problem["loc"][0])
        sentences[name] = f"{_wrong(name, problem)} Correct it in the environment{places}."
    return list(sentences.values())


def _wrong(name: str, problem: ErrorDetails) -> str:
    """What is wrong with a setting, as exactly as the check of its value tells."""
    cause = getattr(problem.get("ctx", {}).get("error"), "__cause__", None)
    if isinstance(cause, DatabaseError):
        return str(cause).replace("The database URL", name.upper())
    return f"{name.upper()} must be {Settings.model_fields[name].description}."
