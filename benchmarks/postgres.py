"""A throw-away PostgreSQL server from the system's packages (Debian: postgresql)."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classifier.errors import ClassifierError


class PostgresServer:
    """A server that listens on a socket in its own folder, and on no port."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        # The server refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)

    def start(self) -> None:
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "30", "start")

    def restart(self) -> None:
        """Close every connection, and be back a moment later."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "fast", "-w", "-t", "30", "restart")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.folder}"

    def execute(self, database: str, sql: str) -> None:
        options = ("-h", self.folder, "-U", "postgres", "-d", database)
        self._run("psql", *options, "-q", "-v", "ON_ERROR_STOP=1", "-c", sql)

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            user=self.user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server of its own, started and stopped; ClassifierError where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise ClassifierError("PostgreSQL is not installed: no /usr/lib/postgresql/*/bin/initdb")
    # Not a user's own temporary folder: the postgres user could not reach into it.
    with tempfile.TemporaryDirectory(
        prefix="kinorate-pg-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        server = PostgresServer(found[-1].parent, Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()
