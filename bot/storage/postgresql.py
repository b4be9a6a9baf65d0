"""PostgreSQL's own programs, which copy a database and put a copy back."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import quote, urlencode

from sqlalchemy import URL

from db.address import DatabaseError, libpq_options

MAGIC = b"PGDMP"
"""What a dump in pg_dump's custom format begins with."""

_SECONDS_TO_CONNECT = "10"
_OPTIONS = ("--no-owner", "--no-privileges")
# The schema is there already, and may hold what is not ours.
_SCHEMA = re.compile(r"^\d+; \d+ \d+ (?:(?:COMMENT|ACL) - )?SCHEMA ")
_COPIED_REVISION = re.compile(r"^COPY \S*alembic_version .*\n(.*)$", re.MULTILINE)


def dump(url: URL, file: Path) -> None:
    """Write the whole database, as it is at one moment, to `file`; raises DatabaseError."""
    _run("pg_dump", "--format=custom", *_OPTIONS, f"--file={file}", _address(url), url=url)


def revision(file: Path) -> str | None:
    """The schema's revision in a dump that is read to its end; raises DatabaseError.

    None for a dump of something else.
    """
    _run("pg_restore", "--file=/dev/null", str(file))
    copied = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    match = _COPIED_REVISION.search(copied)
    return match[1].strip() if match and match[1] != "\\." else None


def restore(url: URL, file: Path, tables: Iterable[str]) -> None:
    """Replace the `tables`, and what else is in the dump, in one transaction.

    Whatever fails or is killed leaves the database as it was. Raises DatabaseError.
    """
    listed = _run("pg_restore", "--list", str(file))
    chosen = "\n".join(line for line in listed.splitlines() if not _SCHEMA.match(line))
    old = "".join(f'DROP TABLE IF EXISTS "{table}" CASCADE;\n' for table in tables)
    with TemporaryFile() as errors, TemporaryFile() as choice:
        choice.write(chosen.encode())
        choice.seek(0)
        reading = subprocess.Popen(
            [
                *(_program("pg_restore"), "--clean", "--if-exists", *_OPTIONS),
                *("--use-list=/dev/stdin", "--file=-", str(file)),
            ],
            stdin=choice,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        writing = subprocess.Popen(
            [*(_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"), _address(url)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=_environment(url),
        )
        try:
            _pour(reading, writing, f"BEGIN;\n{old}")
        finally:
            for process in (reading, writing):
                process.kill()  # where it has not ended: the server then takes all back
                process.wait()
        if reading.returncode or writing.returncode:
            raise DatabaseError(f"{file} can't be restored: {_last_words(errors)}.")


def _pour(
    reading: "subprocess.Popen[bytes]", writing: "subprocess.Popen[bytes]", begin: str
) -> None:
    """Lead the one's output to the other, and commit only what was read to its end."""
    assert reading.stdout is not None
    assert writing.stdin is not None
    try:
        writing.stdin.write(begin.encode())
        shutil.copyfileobj(reading.stdout, writing.stdin)
        if reading.wait() == 0:
            writing.stdin.write(b"\nCOMMIT;\n")
            writing.stdin.close()
            writing.wait()
    except BrokenPipeError:  # psql has ended and said why
        writing.wait()


def _run(name: str, *arguments: str, url: URL | None = None) -> str:
    with TemporaryFile() as errors:
        done = subprocess.run(
            [_program(name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(url),
            check=False,
        )
        if done.returncode:
            raise DatabaseError(f"{name} failed: {_last_words(errors)}.")
    return done.stdout.decode("utf-8", "replace")


def missing_program() -> str | None:
    """A sentence if one of the programs is not installed."""
    missing = [name for name in ("pg_dump", "pg_restore", "psql") if not shutil.which(name)]
    if not missing:
        return None
    return (
        f"{' and '.join(missing)} not found: to back up and restore PostgreSQL, install its client"
        " programs (Debian: postgresql-client), of the server's version or a later one."
    )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise DatabaseError(missing_program() or "")
    return found


def _address(url: URL) -> str:
    options = {"connect_timeout": _SECONDS_TO_CONNECT} | libpq_options(url)
    options.pop("password", None)  # everybody on this machine can read arguments
    return f"--dbname=postgresql://?{urlencode(options, quote_via=quote)}"


def _environment(url: URL | None) -> dict[str, str]:
    """English messages, and the password."""
    password = libpq_options(url).get("password") if url is not None else None
    ours = {"LC_MESSAGES": "C"} | ({"PGPASSWORD": password} if password else {})
    return {name: value for name, value in os.environ.items() if name != "LC_ALL"} | ours


def _last_words(errors: IO[bytes]) -> str:
    errors.seek(0)
    said = [line.strip() for line in errors.read().decode("utf-8", "replace").splitlines()]
    told = [line for line in said if re.search(r"error|fatal", line, re.IGNORECASE)] or said[-1:]
    return told[0].rstrip(".")[:500] if told else "no reason given"
