"""What can be set, by environment variables or a file .env; each has a line in .env.example."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import BotError
from bot.schedule import CronTrigger
from db.engine import DEFAULT_URL, parse_url
from db.errors import DatabaseError

_TOKEN = re.compile(r"\d+:[\w-]+", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"[\w-]{1,256}", re.ASCII)  # what Telegram takes

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(BotError):
    """Sentences for the operator, one a problem: which setting, and what it must be."""


class Settings(BaseSettings):
    """A description says what a value must be; the operator reads it when it isn't that."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # NAME= in .env means the default
        extra="ignore",  # .env may hold what other programs read
        hide_input_in_errors=True,
    )

    telegram_token: SecretStr | None = Field(
        None, description="the bot's token as @BotFather gave it, such as 123456:ABC-def"
    )
    admin_ids: Annotated[list[int], NoDecode] = Field(
        [], description="Telegram user ids with commas between them, such as 1001,1002"
    )
    database_url: str = Field(
        DEFAULT_URL,
        description="sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE",
    )
    models: Path = Field(Path("models"), description="the folder of the model versions")
    bot_api_url: str = Field(
        "https://api.telegram.org",
        description="the address of a Bot API server, such as https://api.telegram.org",
    )
    webhook_url: str | None = Field(
        None, description="the https:// address at which Telegram reaches this bot"
    )
    webhook_secret: SecretStr | None = Field(
        None, description="1 to 256 letters A-Z a-z, digits, _ and -; whatever you like"
    )
    webhook_host: str = Field("127.0.0.1", description="the IP address to listen on")
    webhook_port: Port = Field(8443, description="a port from 1 to 65535")
    local_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8081, description="a port from 1 to 65535, or 0 for any free one"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    reviews_per_minute: int = Field(10, ge=1, description="a whole number from 1 on")
    waiting_reviews: int = Field(200, ge=1, description="a whole number from 1 on")
    retrain_cron: str | None = Field(
        None, description="a cron line of five fields, such as 0 4 * * 1 (Mondays at four)"
    )
    retrain_min_feedback: int = Field(50, ge=1, description="a whole number from 1 on")
    time_zone: ZoneInfo = Field(
        ZoneInfo("UTC"), description="the name of a time zone, such as Europe/Moscow"
    )
    monitoring_port: Port | None = Field(None, description="a port from 1 to 65535")

    @field_validator("telegram_token")
    @classmethod
    def _is_token(cls, token: SecretStr | None) -> SecretStr | None:
        return _matching(_TOKEN, token)

    @field_validator("webhook_secret")
    @classmethod
    def _is_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        return _matching(_WEBHOOK_SECRET, secret)

    @field_validator("admin_ids", mode="before")
    @classmethod
    def _split_ids(cls, ids: Any) -> Any:
        return [part for part in ids.split(",") if part.strip()] if isinstance(ids, str) else ids

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, url: str) -> str:
        try:
            parse_url(url)
        except DatabaseError as error:
            raise ValueError from error
        return url

    @field_validator("bot_api_url")
    @classmethod
    def _is_server(cls, url: str) -> str:
        if _web_address(url).scheme not in ("http", "https"):
            raise ValueError
        return url.rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _is_webhook(cls, url: str | None) -> str | None:
        if url is not None:
            parts = _web_address(url)
            # Telegram calls https:// alone; the local Bot API server calls this machine.
            if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts)):
                raise ValueError
        return url

    @field_validator("webhook_host")
    @classmethod
    def _is_host(cls, host: str) -> str:
        ipaddress.ip_address(host)
        return host

    @field_validator("retrain_cron")
    @classmethod
    def _is_cron(cls, line: str | None) -> str | None:
        if line is not None:
            CronTrigger(line, ZoneInfo("UTC"))
        return line

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: Any) -> Any:
        return level.upper() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _webhook_is_whole(self) -> "Settings":
        if self.webhook_url and not self.telegram_token:
            raise ValueError("TELEGRAM_TOKEN is missing: with WEBHOOK_URL the bot needs it.")
        if self.webhook_url and not self.webhook_secret:
            raise ValueError(
                "WEBHOOK_SECRET is missing: with WEBHOOK_URL the bot needs it, to know Telegram"
                " by it. Choose any 1 to 256 letters A-Z a-z, digits, _ and -."
            )
        return self


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """The settings from the environment and `env_file`, which need not exist.

    Raises SettingsError, which shows no value: it may be a secret.
    """
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]  # mypy knows fields alone
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{env_file} can't be read: it must be a text file in UTF-8.") from None


def _sentences(error: ValidationError) -> list[str]:
    sentences = {}
    for problem in error.errors(include_input=False, include_url=False):
        if not problem["loc"]:  # of several settings together
            return [str(problem["ctx"]["error"])]
        name = str(problem["loc"][0])
        expected = Settings.model_fields[name].description
        sentences[name] = (
            f"{name.upper()} must be {expected}. Correct it in the environment or in .env."
        )
    return list(sentences.values())


def _matching(pattern: re.Pattern[str], secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and not pattern.fullmatch(secret.get_secret_value()):
        raise ValueError
    return secret


def _web_address(url: str) -> SplitResult:
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0 or parts.query or parts.fragment:
        raise ValueError  # as asking for a port does that is no number
    return parts


def _is_loopback(parts: SplitResult) -> bool:
    return parts.hostname in ("127.0.0.1", "localhost", "::1")
