"""Each address of a database works, or ends in a sentence that shows no password."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.database import bring_up_to_date
from bot.storage.backups import Backups
from db.address import DatabaseError, driver_arguments, libpq_options, parse_url, sqlite_file
from db.engine import create_engine
from tests.db.conftest import NOW
from tests.postgres import PostgresServer

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
SECRET = "s3cret-Пароль"
START = "postgresql+asyncpg://"


def options_of(url: str) -> tuple[dict[str, str], dict[str, object]]:
    """What asyncpg finds in its address, and its other arguments."""
    arguments = driver_arguments(parse_url(url))
    query = urlsplit(str(arguments.pop("dsn"))).query
    return {name: values[-1] for name, values in parse_qs(query).items()}, arguments


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgres://h/d", {"host": "h", "dbname": "d"}),
        ("  postgresql://h/d\n", {"host": "h", "dbname": "d"}),
        ("postgresql://u@h:6432/d", {"user": "u", "host": "h", "port": "6432", "dbname": "d"}),
        ("postgresql://u:100%@h/d", {"user": "u", "password": "100%", "host": "h", "dbname": "d"}),
        ("postgresql://[::1]:5432/d", {"host": "[::1]", "port": "5432", "dbname": "d"}),
        ("postgresql://%2Frun%2Fpg/d", {"host": "/run/pg", "dbname": "d"}),
        ("postgresql:///d?host=/run/pg", {"host": "/run/pg", "dbname": "d"}),
        ("postgresql://u:p,w@h/d", {"user": "u", "password": "p,w", "host": "h", "dbname": "d"}),
        ("postgresql://h1:1,h2:2/d", {"host": "h1:1,h2:2", "dbname": "d"}),
        ("postgresql:///d?host=h1:1&host=h2:2", {"host": "h1:1,h2:2", "dbname": "d"}),
        (
            "postgresql://h1,h2/d?target_session_attrs=primary",
            {"host": "h1,h2", "dbname": "d", "target_session_attrs": "primary"},
        ),
        ("postgresql://h/d?sslmode=require", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("postgresql://h/d?ssl=true", {"host": "h", "dbname": "d", "sslmode": "require"}),
        (
            "postgresql://h/d?sslmode=verify-full&channel_binding=prefer&client_encoding=utf8",
            {"host": "h", "dbname": "d", "sslmode": "verify-full"},
        ),
        (
            "postgresql://h/d?application_name=a%20b&options=-c%20search_path%3Dx&sslmode=",
            {"host": "h", "dbname": "d", "application_name": "a b", "options": "-c search_path=x"},
        ),
    ],
)
def test_what_means_something_to_the_driver_reaches_it(url: str, options: dict[str, str]) -> None:
    assert options_of(url) == (options, {})


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("connect_timeout=10", {"timeout": 10}),
        ("connect_timeout=0", {"timeout": None}),
        (
            "statement_cache_size=0&prepared_statement_cache_size=0",
            {"statement_cache_size": 0, "prepared_statement_cache_size": 0},
        ),
    ],
)
def test_numbers_become_arguments(query: str, arguments: dict[str, object]) -> None:
    assert options_of(f"postgresql:///?{query}") == ({}, arguments)


def test_a_certificate_of_the_system_is_found(tmp_path: Path) -> None:
    certificate = tmp_path / "root.crt"
    certificate.touch()
    options, _ = options_of(f"postgresql://h/d?sslmode=verify-ca&sslrootcert={certificate}")
    assert options["sslrootcert"] == str(certificate)
    options, _ = options_of("postgresql://h/d?sslrootcert=system")
    assert options["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sslmode=always", "the option sslmode, which must be disable or allow"),
        ("sslrootcert=/nowhere/root.crt", "sslrootcert, which must be the path of a file"),
        ("connect_timeout=soon", "connect_timeout, which must be a whole number"),
        ("host=a:0", "host, which must be names or addresses"),
        ("port=0", "port, which must be a number from 1 to 65535"),
        ("channel_binding=require", "channel_binding, which must be prefer or disable"),
        ("keepalives_idle=5", "keepalives_idle, which the driver asyncpg does not know: remove it"),
        ("pgbouncer=true", "has an option that is none of PostgreSQL's clients"),
    ],
)
def test_all_else_is_a_sentence(query: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as refusal:
        create_engine(f"postgresql://u:{SECRET}@h/d?{query}")
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("path", ["kinorate.db", "a/../b.db", "/srv/kino rate.db", "100%.db"])
@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
def test_sqlite_is_a_file(scheme: str, path: str) -> None:
    assert sqlite_file(parse_url(f"{scheme}:///{path}")) == Path(path)


@pytest.mark.parametrize(
    "rest",
    ["", "/", ":memory:", "/:memory:", "host/a.db", "u:s3cret-Пароль@/a.db", "/a.db?mode=ro"],
)
def test_other_sqlite_addresses_are_refused(rest: str) -> None:
    with pytest.raises(DatabaseError) as refusal:
        parse_url(f"sqlite+aiosqlite://{rest}")
    assert SECRET not in str(refusal.value)


names = st.text(min_size=1, max_size=20).filter(lambda name: "\0" not in name)


@settings(max_examples=300)
@given(names, names, names, st.integers(1, 65_535))
def test_any_name_and_password_arrive_as_they_are(
    user: str, password: str, database: str, port: int
) -> None:
    user, password, database = (
        name.encode("utf-8", "replace").decode() for name in (user, password, database)
    )
    parts = [quote(part, safe="") for part in (user, password, database)]
    options, _ = options_of("postgresql://{}:{}@db:{port}/{}".format(*parts, port=port))
    assert options == {
        "user": user,
        "password": password,
        "host": "db",
        "port": str(port),
        "dbname": database,
    }


NOBODY = "127.0.0.1:1"  # a port where nothing listens
PIECES = """
    u %40 %zz % : @ / ? & = , ; # [ ] [::1] + ё sslmode=require sslmode=no sslrootcert=system
    sslcert=/x connect_timeout=1 connect_timeout=x application_name=a options=-c%20a%3Db a=b
    host=/nowhere host= host=a:x,b host=::1 port=1 port=x,1 target_session_attrs=primary
    passfile=/x gsslib=sspi channel_binding=require prepared_statement_cache_size=0 service=s
"""
piece = st.sampled_from(PIECES.split())


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "x"]),
    st.lists(piece, max_size=3).map("".join),
    st.sampled_from(
        [NOBODY, f"{NOBODY},{NOBODY}", "[::1]:1", "a..b", "::1", "%2Fnowhere", "h:p", ""]
    ),
    st.lists(piece, max_size=4).map("&".join),
)
@example("postgres", ",/", NOBODY, "")  # whose host is a comma
def test_any_address_of_a_server_that_is_away_ends_in_a_sentence(
    scheme: str, user: str, host: str, query: str
) -> None:
    pytest.importorskip("asyncpg")
    address = f"{scheme}://{user}:{SECRET}@{host}/d?{query}"
    with pytest.raises(DatabaseError) as refusal:
        bring_up_to_date(Backups(address, Path("backups"), kept=5), NOW)
    sentence = str(refusal.value)
    assert SECRET not in sentence
    assert quote(SECRET) not in sentence
    assert "\n" not in sentence


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text("sqlite+ao:/.@?=&%m,[]#ё \0"))
def test_any_text_is_an_address_or_ends_in_a_sentence(url: str) -> None:
    try:
        parsed = parse_url(url)
    except DatabaseError:
        return
    assert sqlite_file(parsed)


@pytest.mark.parametrize(
    "extra",
    [
        "",
        "&sslmode=prefer",
        "&application_name=kino&connect_timeout=5",
        "&options=-c%20application_name%3Dkino",
        "&prepared_statement_cache_size=0&statement_cache_size=0",
        "&target_session_attrs=read-write&channel_binding=prefer",
    ],
)
async def test_a_server_is_reached(postgres: PostgresServer, extra: str) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        url = postgres.url("without_tables").replace("postgresql+asyncpg", scheme) + extra
        engine = create_engine(url)
        async with engine.connect() as connection:
            name = await connection.scalar(text("SHOW application_name"))
            assert (name == "kino") == ("kino" in extra)
        await engine.dispose()


@pytest.mark.parametrize(
    "change",
    [("without_tables", "nowhere"), ("postgres@", f"nobody:{SECRET}@")],
)
def test_what_a_server_refuses_is_a_sentence(
    postgres: PostgresServer, change: tuple[str, str]
) -> None:
    address = postgres.url("without_tables").replace(*change)
    with pytest.raises(DatabaseError) as refusal:
        bring_up_to_date(Backups(address, Path("backups"), kept=5), NOW)
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_alembic_command_says_it_in_a_line(tmp_path: Path) -> None:
    alembic = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", ROOT / "alembic.ini", "current"],
        cwd=tmp_path,
        env=os.environ | {"DATABASE_URL": f"postgresql://u:{SECRET}@h/d?sslmode=no"},
        capture_output=True,
        text=True,
    )
    assert alembic.returncode != 0
    assert "the option sslmode, which must be" in alembic.stdout + alembic.stderr
    assert "Traceback" not in alembic.stderr
    assert SECRET not in alembic.stdout + alembic.stderr


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (
            "postgresql://me:p%40s%20s@db.example.org/films?sslmode=require&connect_timeout=3",
            "host=db.example.org user=me password=p@s s dbname=films sslmode=require"
            " connect_timeout=3",
        ),
        (
            "postgresql://me@a:1,[::1]:2,c/films?statement_cache_size=0",
            "host=a,::1,c port=1,2,5432 user=me dbname=films",
        ),
        ("postgresql://[::1]:6432/films", "host=::1 port=6432 dbname=films"),
        ("postgresql:///films?host=/run/pg", "host=/run/pg dbname=films"),
    ],
)
def test_postgresqls_own_programs_get_the_same_address(url: str, options: str) -> None:
    found = libpq_options(parse_url(url))
    expected = re.findall(r"(\w+)=(.*?)(?= \w+=|$)", options)
    assert found == dict(expected)
