"""A wrong setting is told in one sentence that names it and says what it must be."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "123456:AAsecretsecretsecret"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "secrets_dir"):
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
        ("LOCAL_HOST", "everywhere"),
        ("LOCAL_PORT", "65536"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "yaml"),
        ("REVIEWS_PER_MINUTE", "0"),
        ("WAITING_REVIEWS", "many"),
        ("ASK_UNCERTAIN_SHARE", "20 %"),
        ("ASK_UNCERTAIN_SHARE", "1.1"),
        ("RETRAIN_CRON", "weekly"),
        ("RETRAIN_MIN_FEEDBACK", "0"),
        ("TIME_ZONE", "Moscow"),
        ("MONITORING_HOST", "localhost:9108"),
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


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of SECRETS_DIR."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("SECRETS_DIR", str(folder))
    return folder


def test_a_secret_may_be_a_file(
    secrets: Path, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / "telegram_token").write_text(f"{SECRET}\r\n")
    (secrets / "WEBHOOK_SECRET").write_text("from-the-file\n")
    (secrets / "database_url").write_text("postgresql+asyncpg://me:my-secret@host/db")
    (secrets / "another_programs").mkdir()
    settings = load_settings(env_file)
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() == SECRET
    assert settings.webhook_secret is not None
    assert settings.webhook_secret.get_secret_value() == "from-the-file"
    assert settings.database_url.endswith("@host/db")
    env_file.write_text("WEBHOOK_SECRET=from-env-file\n")
    monkeypatch.setenv("DATABASE_URL", "sqlite+aiosqlite:///other.db")
    settings = load_settings(env_file)
    assert settings.webhook_secret is not None
    assert settings.webhook_secret.get_secret_value() == "from-env-file"
    assert settings.database_url == "sqlite+aiosqlite:///other.db"


def test_secrets_are_found_as_kubernetes_and_docker_mount_them(
    secrets: Path, env_file: Path
) -> None:
    (secrets / "..data").mkdir()
    (secrets / "..data" / "telegram_token").write_text(SECRET)
    (secrets / "telegram_token").symlink_to("..data/telegram_token")
    assert load_settings(env_file).telegram_token is not None


def make_empty(file: Path) -> None:
    file.write_text("  \n")


def make_binary(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")


def make_unreadable(file: Path) -> None:
    file.symlink_to(file)  # root reads everything else


def make_outsider(file: Path) -> None:
    outside = file.parent.parent / "outside"
    outside.write_text(SECRET)
    file.symlink_to(outside)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (make_empty, "the file is empty"),
        (Path.mkdir, "it is a folder, which Docker makes where the file to mount is missing"),
        (make_binary, "it must be text in UTF-8"),
        (make_unreadable, "Too many levels of symbolic links"),
        (make_outsider, "it is a link to a file outside of the folder"),
    ],
)
def test_a_secret_file_that_can_not_be_used_is_told_in_a_sentence(
    make: Callable[[Path], None], problem: str, secrets: Path, env_file: Path
) -> None:
    file = secrets / "telegram_token"
    make(file)
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    assert str(caught.value) == f"TELEGRAM_TOKEN can't be read from {file}: {problem}."


def test_a_wrong_secret_and_a_wrong_folder_are_told(
    secrets: Path, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / "telegram_token").write_text("my secret")
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    assert str(caught.value).startswith("TELEGRAM_TOKEN must be ")
    assert str(caught.value).endswith("Correct it in the environment, in .env or in SECRETS_DIR.")
    assert "my secret" not in str(caught.value)
    for wrong in (secrets / "telegram_token", secrets / "missing"):
        monkeypatch.setenv("SECRETS_DIR", str(wrong))
        with pytest.raises(SettingsError, match=r"^SECRETS_DIR must name a folder"):
            load_settings(env_file)


def test_the_example_has_a_line_for_each_setting(env_file: Path) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)
    assert names == [name.upper() for name in Settings.model_fields]
    env_file.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", example, flags=re.MULTILINE))
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET"):  # the one that must be made up
        load_settings(env_file)
