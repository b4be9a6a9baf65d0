"""What people deploy with is understood by the tools that read it, and names what there is."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FILES = ["compose.yaml", "compose.postgres.yaml"]
NOT_OURS = {"HTTPS_PROXY"}
"""What the bot's libraries read of the environment."""


def compose_tool() -> list[str]:
    for tool in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(tool[0]):
            found = subprocess.run([*tool, "version"], capture_output=True, check=False)
            if found.returncode == 0:
                return tool
    pytest.skip("there is neither `docker compose` nor docker-compose to read the files with")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the compose files need, with the secrets that the script makes."""
    for file in FILES:
        shutil.copy(ROOT / file, tmp_path)
    ignored = shutil.ignore_patterns("secrets", "*.whl")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=ignored)
    subprocess.run(["sh", "deploy/make_secrets.sh", "123456:ABC-def"], cwd=tmp_path, check=True)
    return tmp_path


def understood(project: Path, file: str) -> dict[str, Any]:
    """The file as the real tool understands it."""
    environment = {"PATH": os.environ["PATH"], "DOMAIN": "bot.example.org", "ADMIN_IDS": "1,2"}
    read = subprocess.run(
        [*compose_tool(), "--file", file, "config"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    told: dict[str, Any] = yaml.safe_load(read.stdout)
    return told


def bots(services: dict[str, Any]) -> list[dict[str, Any]]:
    return [service for service in services.values() if service.get("image") == "kinorate"]


@pytest.mark.parametrize(("file", "count"), [(FILES[0], 1), (FILES[1], 3)])
def test_the_compose_files_are_understood_and_set_what_can_be_set(
    file: str, count: int, project: Path
) -> None:
    services = understood(project, file)["services"]
    assert len(bots(services)) == count
    for bot in bots(services):
        assert bot["read_only"] is True
        environment = bot["environment"]
        known = {name.upper() for name in Settings.model_fields} | NOT_OURS
        assert set(environment) <= known
        assert environment["ADMIN_IDS"] == "1,2"
        given = {name.lower(): value for name, value in environment.items() if value}
        given |= {"telegram_token": "123456:ABC-def", "webhook_secret": "secret"}
        Settings(_env_file=None, **given)  # type: ignore[call-arg]


def test_without_a_domain_the_proxy_is_not_started(project: Path) -> None:
    refused = subprocess.run(
        [*compose_tool(), "--file", "compose.postgres.yaml", "config"],
        cwd=project,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode
    assert "the domain at which Telegram is to reach the bot" in refused.stderr


def test_what_the_compose_file_mounts_is_there(project: Path) -> None:
    text = (ROOT / "compose.postgres.yaml").read_text("utf-8")
    mounted = re.findall(r"- (\./\S+?):/", text) + re.findall(r"file: (\S+)", text)
    assert len(mounted) >= 8
    for path in mounted:
        assert (project / path).exists(), path
    bot = yaml.safe_load(text)["x-bot"]
    secrets = {name.upper() for name in bot["secrets"]}
    assert secrets <= {name.upper() for name in Settings.model_fields}
    assert not secrets & set(bot["environment"])  # the environment would go first


def test_secrets_are_made_once_and_a_new_token_is_taken(project: Path) -> None:
    secrets = project / "deploy" / "secrets"
    before = {file.name: file.read_text() for file in secrets.iterdir()}
    assert before["telegram_token"] == "123456:ABC-def\n"
    assert before["postgres_password"].strip() in before["database_url"]
    subprocess.run(["sh", "deploy/make_secrets.sh", "123456:new"], cwd=project, check=True)
    after = {file.name: file.read_text() for file in secrets.iterdir()}
    assert after == before | {"telegram_token": "123456:new\n"}
    assert secrets.stat().st_mode & 0o077 == 0
    shutil.rmtree(secrets)
    refused = subprocess.run(["sh", "deploy/make_secrets.sh"], cwd=project, capture_output=True)
    assert refused.returncode == 2


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("promtool", ["check", "config", "deploy/prometheus/prometheus.yml"]),
        ("caddy", ["validate", "--config", "deploy/Caddyfile"]),
    ],
)
def test_the_other_programs_understand_their_files(
    tool: str, arguments: list[str], project: Path
) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    read = subprocess.run(
        [tool, *arguments],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "DOMAIN": "bot.example.org"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stdout + read.stderr


def test_the_image_sets_what_can_be_set_and_is_made_of_nothing_but_the_program() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    settings = {name.upper() for name in Settings.model_fields}
    (last,) = re.findall(r"^ENV (.*MODELS=.*(?:\\\n.*)*)", dockerfile.replace("\\\n", " "), re.M)
    named = set(re.findall(r"\b([A-Z_]+)=", last))
    own = {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "HOME", "SECRETS_DIR"}
    caches = {"XDG_CACHE_HOME", "HF_HOME", "MPLCONFIGDIR"}
    assert named <= settings | own | caches
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.M):
        for path in copied.split():
            assert (ROOT / path).exists()
            line = f"!{path}"
            assert line in (ROOT / ".dockerignore").read_text("utf-8").splitlines(), path
    packages = {f"!{path.name}" for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    used = packages - {"!benchmarks", "!tests"}
    assert used <= set((ROOT / ".dockerignore").read_text("utf-8").splitlines())
