"""Database addresses: those of SQLite files, and PostgreSQL's with the options of its own clients.

No message shows a part of an address that may be of its password.
"""

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlencode

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError


class DatabaseError(Exception):
    """One sentence for the operator: a wrong URL, a database that can't be copied or migrated.

    What the database itself refuses (a broken constraint, a lost connection) stays SQLAlchemy's.
    """


_SCHEMES = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_SEVERAL_HOSTS = re.compile(
    r"(\w+(?:\+\w+)?://(?:[^@]*@)?)([^/?@]*,[^/?@]*)([/?][^@]*)?", re.DOTALL
)
_HOST = re.compile(
    r"(?P<name>/.*|\[[\da-fA-F:.]+\]|[^:\[\]/][^:\[\]]*)(?::(?P<port>\d{1,5}))?", re.DOTALL
)
_PORT = range(1, 65_536)
_DEFAULT_PORT = 5432


def _one_of(*values: str) -> Callable[[str], str | None]:
    return lambda value: None if value in values else f"must be {' or '.join(values)}"


def _file(value: str) -> str | None:
    return None if Path(value).is_file() else "must be the path of a file"


def _ports(value: str) -> str | None:
    are_ports = all(each.isdecimal() and int(each) in _PORT for each in value.split(","))
    return None if are_ports else f"must be a number from {_PORT[0]} to {_PORT[-1]}"


def _hosts(value: str) -> str | None:
    found = [_HOST.fullmatch(host) for host in value.split(",")]
    if all(host and int(host["port"] or 1) in _PORT for host in found):
        return None
    return "must be names or addresses, [::1] in brackets, each with :PORT if need be"


def _count(value: str) -> str | None:
    return None if re.fullmatch(r"\d{1,9}", value, re.ASCII) else "must be a whole number"


def _anything(_: str) -> None:
    return None


_TLS = _one_of("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_OPTIONS: dict[str, Callable[[str], str | None]] = {
    "host": _hosts,
    "port": _ports,
    "user": _anything,
    "password": _anything,
    "dbname": _anything,
    "passfile": _file,
    "service": _anything,
    "sslmode": _one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": _one_of("postgres", "direct"),
    "sslcert": _file,
    "sslkey": _file,
    "sslpassword": _anything,
    "sslrootcert": _file,
    "sslcrl": _file,
    "ssl_min_protocol_version": _TLS,
    "ssl_max_protocol_version": _TLS,
    "target_session_attrs": _one_of(
        "any", "primary", "standby", "read-write", "read-only", "prefer-standby"
    ),
    "krbsrvname": _anything,
    "gsslib": _one_of("gssapi", "sspi"),
    "application_name": _anything,
    "options": _anything,
}
"""What asyncpg understands in an address as libpq does, each with what is wrong with a value."""

_ARGUMENTS = {
    "connect_timeout": "timeout",
    "statement_cache_size": "statement_cache_size",
    "prepared_statement_cache_size": "prepared_statement_cache_size",
}
"""Whole numbers that are arguments of the driver: libpq's timeout, and what PgBouncer needs."""

_ASSUMED: dict[str, Callable[[str], str | None]] = {
    "channel_binding": _one_of("prefer", "disable"),
    "gssencmode": _one_of("prefer", "disable"),
    "sslcompression": _one_of("0"),
    "client_encoding": _one_of("utf8", "UTF8", "utf-8", "UTF-8", "auto"),
}
"""Options of libpq that the driver lacks, with the values that change nothing for it."""

_UNSUPPORTED = """
    keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout replication
    sslsni sslcertmode requirepeer require_auth gssdelegation load_balance_hosts hostaddr
    fallback_application_name scram_client_key scram_server_key oauth_issuer
    max_protocol_version min_protocol_version
"""
"""Other options of libpq: the only unknown names that are no part of a password."""


def parse_url(url: str) -> URL:
    """The URL's parts, with the driver in its scheme and only options that the driver takes.

    Raises DatabaseError unless it is one of the two kinds supported.
    """
    try:
        parsed = make_url(_with_hosts_as_option(url.strip()))
    except (ArgumentError, ValueError):  # ValueError: the port is no number
        parsed = None
    if parsed is None or parsed.drivername not in _SCHEMES or "\0" in unquote(url):
        raise DatabaseError(
            "The database URL must be sqlite+aiosqlite:///FILE"
            " or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE."
        )
    parsed = parsed.set(drivername=_SCHEMES[parsed.drivername])
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)


def sqlite_file(url: URL) -> Path:
    """The file of a SQLite database."""
    assert url.database is not None  # parse_url has checked it
    return Path(url.database)


def driver_arguments(url: URL) -> dict[str, object]:
    """What asyncpg is to connect with, for a URL from parse_url."""
    options = _options(url)
    arguments: dict[str, object] = {
        argument: int(options.pop(name)) for name, argument in _ARGUMENTS.items() if name in options
    }
    if arguments.get("timeout") == 0:
        arguments["timeout"] = None  # libpq's 0 is for ever
    return arguments | {"dsn": f"postgresql://?{urlencode(options)}"}


def libpq_options(url: URL) -> dict[str, str]:
    """What PostgreSQL's own programs are to connect with, for a URL from parse_url."""
    options = _options(url)
    own = set(_ARGUMENTS) - {"connect_timeout"}
    found = [_HOST.fullmatch(host) for host in options.get("host", "").split(",")]
    if any(host and host["port"] for host in found):
        default = options.get("port", str(_DEFAULT_PORT))
        options["port"] = ",".join(host["port"] or default for host in found if host)
    if hosts := [host["name"].strip("[]") for host in found if host]:
        options["host"] = ",".join(hosts)
    return {name: value for name, value in options.items() if name not in own}


def _options(url: URL) -> dict[str, str]:
    options = {name: str(value) for name, value in url.query.items()}
    return options | {
        name: str(value)
        for name, value in {
            "host": f"[{url.host}]" if url.host and ":" in url.host else url.host,
            "port": url.port,
            "user": url.username,
            "password": url.password,
            "dbname": url.database,
        }.items()
        if value
    }


def _with_hosts_as_option(url: str) -> str:
    """Several hosts, each with its port, moved to where SQLAlchemy leaves them alone."""
    several = _SEVERAL_HOSTS.fullmatch(url)
    if several is None:
        return url
    start, hosts, rest = several.groups("")
    path, _, query = rest.partition("?")
    return f"{start}{path}?host={hosts}&{query}".rstrip("&")


def _sqlite(url: URL) -> URL:
    if url.host or url.username or url.query or url.database in (None, "", ":memory:"):
        raise DatabaseError(
            "The database URL of SQLite must be sqlite+aiosqlite:///FILE, without options, a host"
            " or a user, and the data must be in a file, not in memory."
        )
    return url


def _postgresql(url: URL) -> URL:
    options = {}
    for name, value in url.normalized_query.items():
        options[name] = ",".join(value) if name in ("host", "port") else value[-1]
    if "ssl" in options:  # asyncpg's own name for it
        options["sslmode"] = options.pop("ssl").replace("true", "require")
    if options.get("sslrootcert") == "system":
        options["sslrootcert"] = ssl.get_default_verify_paths().cafile or ""
        options["sslmode"] = "verify-full"
    for name, value in options.items():
        if complaint := _complaint(name, value):
            raise DatabaseError(f"The database URL {complaint}.")
    if url.port is not None and url.port not in _PORT:
        raise DatabaseError(f"The database URL's port {_ports('')}.")
    host = unquote(url.host) if url.host else None
    if host and (complaint := _hosts(f"[{host}]" if ":" in host else host)):
        raise DatabaseError(f"The database URL's hosts {complaint}.")
    kept = {name: value for name, value in options.items() if value and name not in _ASSUMED}
    return url.set(host=host, query=kept)


def _complaint(name: str, value: str) -> str | None:
    """What is wrong with an option: the rest of a sentence that shows no value."""
    if name in _UNSUPPORTED.split():
        return f"has the option {name}, which the driver asyncpg does not know: remove it"
    check = _OPTIONS.get(name) or _ASSUMED.get(name) or (_count if name in _ARGUMENTS else None)
    if check is None:
        return (
            "has an option that is none of PostgreSQL's clients; in a password ? is written %3F,"
            " @ is %40, / is %2F and % is %25"
        )
    expected = check(value)
    return f"has the option {name}, which {expected}" if expected else None
