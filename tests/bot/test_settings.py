"""A wrong setting is told in one sentence that names it and says what it must be."""

import re
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "123456:AAsecretsecretsecret"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_nothing_needs_to_be_set(env_file: Path) -> None:
    settings = load_settings(env_file)
    assert settings.telegram_token is None
    assert settings.database_url == "sqlite+aiosqlite:///data/kinorate.db"
    assert settings.webhook_host == "127.0.0.1"


def test_the_file_is_read_and_the_environment_goes_first(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text(
        f"TELEGRAM_TOKEN={SECRET}\nADMIN_IDS=1, 2\nREVIEWS_PER_MINUTE=3\nWEBHOOK_URL=\n"
    )
    monkeypatch.setenv("REVIEWS_PER_MINUTE", "4")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    settings = load_settings(env_file)
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() == SECRET
    assert settings.admin_ids == [1, 2]
    assert settings.reviews_per_minute == 4
    assert settings.webhook_url is None
    assert settings.log_level == "DEBUG"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_TOKEN", "my secret"),
        ("ADMIN_IDS", "1,Anna"),
        ("DATABASE_URL", "mysql://me:my-secret@host/db"),
        ("BOT_API_URL", "api.telegram.org"),
        ("WEBHOOK_URL", "http://bot.example.org/"),
        ("WEBHOOK_URL", "https://bot.example.org:port/"),
        ("WEBHOOK_SECRET", "my secret"),
        ("WEBHOOK_HOST", "here"),
        ("WEBHOOK_PORT", "0"),
        ("WEBHOOK_PORT", "https"),
        ("LOCAL_PORT", "65536"),
        ("LOG_LEVEL", "loud"),
        ("REVIEWS_PER_MINUTE", "0"),
        ("WAITING_REVIEWS", "many"),
        ("RETRAIN_CRON", "weekly"),
        ("RETRAIN_MIN_FEEDBACK", "0"),
        ("TIME_ZONE", "Moscow"),
        ("MONITORING_PORT", "0"),
    ],
)
def test_a_wrong_setting_is_named_in_a_sentence_without_its_value(
    name: str, value: str, env_file: Path
) -> None:
    env_file.write_text(f"{name}={value}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    message = str(caught.value)
    assert message.startswith(f"{name} must be ")
    assert message.endswith("Correct it in the environment or in .env.")
    assert "secret" not in message
    assert "\n" not in message
    assert caught.value.__suppress_context__


def test_each_wrong_setting_gets_its_sentence(env_file: Path) -> None:
    env_file.write_text("ADMIN_IDS=x,y\nLOCAL_PORT=-1\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    first, second = str(caught.value).splitlines()
    assert first.startswith("ADMIN_IDS ")
    assert second.startswith("LOCAL_PORT ")


def test_a_file_that_is_no_text_is_told(env_file: Path) -> None:
    env_file.write_bytes(b"ADMIN_IDS=\xff")
    with pytest.raises(SettingsError, match="can't be read: it must be a text file in UTF-8"):
        load_settings(env_file)


@pytest.mark.parametrize("missing", ["TELEGRAM_TOKEN", "WEBHOOK_SECRET"])
def test_a_webhook_needs_a_token_and_a_secret(missing: str, env_file: Path) -> None:
    values = {
        "WEBHOOK_URL": "https://bot.example.org/kinorate",
        "TELEGRAM_TOKEN": SECRET,
        "WEBHOOK_SECRET": "known-to-Telegram",
    }
    env_file.write_text("".join(f"{k}={v}\n" for k, v in values.items() if k != missing))
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    assert str(caught.value).startswith(f"{missing} is missing: ")
    env_file.write_text("".join(f"{k}={v}\n" for k, v in values.items()))
    assert load_settings(env_file).webhook_url == values["WEBHOOK_URL"]


def test_the_example_has_a_line_for_each_setting(env_file: Path) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)
    assert names == [name.upper() for name in Settings.model_fields]
    env_file.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", example, flags=re.MULTILINE))
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET"):  # the one that must be made up
        load_settings(env_file)
