"""Settings: read once from the environment, frozen, every wrong value named."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from kiosk import mail_address, redis_address

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHORTEST_SECRET = 32


class SettingsError(Exception):
    """A setting is wrong; the text is one line that names the variable."""


@dataclass(frozen=True)
class Settings:
    """Everything that can be set from outside. Seconds are seconds, paths are absolute."""

    host: str
    port: int
    env: Literal["demo", "production"]
    instance_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    tls: str
    public_url: str
    trusted_hosts: tuple[str, ...]
    proxy_count: int
    time_zone: str
    save_grace_seconds: float
    outage_seconds: int
    start_without_redis: bool
    mail_url: str | None = field(repr=False)
    backup_dir: Path
    log_level: str
    log_format: Literal["text", "json"]

    @property
    def is_production(self) -> bool:
        """Whether the strict start-up checks apply."""
        return self.env == "production"

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is an SQLite file (one writing process)."""
        return self.database_url.startswith("sqlite")

    @property
    def uses_https(self) -> bool:
        """Whether browsers reach us over https (own TLS, or a proxy's as told by the public URL)."""
        return self.public_url.startswith("https://")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings found in `environ` (default: the process's).

    Makes the instance directory and, outside production, a secret key in it on first use.
    Raises SettingsError.
    """
    env = _Reader(os.environ if environ is None else environ)
    instance_dir = Path(env.text("KIOSK_INSTANCE_DIR", "instance")).expanduser().absolute()
    host = env.text("HOST", "127.0.0.1")
    port = env.number("PORT", 8000, low=1, high=65535)
    mode = env.choice("KIOSK_ENV", "demo", ("demo", "production"))
    tls = env.text("KIOSK_TLS", "off" if host in LOOPBACK else "auto")
    if tls not in ("off", "auto"):
        _check_tls_files(tls)
    default_url = f"{'http' if tls == 'off' else 'https'}://{_bracketed(host)}:{port}"
    _make_private_directory(instance_dir)
    return Settings(
        host=host,
        port=port,
        env=mode,  # type: ignore[arg-type]
        instance_dir=instance_dir,
        database_url=_database_url(env.text("KIOSK_DATABASE_URL", f"sqlite:///{instance_dir / 'kiosk.db'}")),
        redis_url=env.checked("KIOSK_REDIS_URL", "embedded", redis_address.problem),
        secret_key=_secret_key(env.raw("KIOSK_SECRET_KEY"), instance_dir, production=mode == "production"),
        tls=tls,
        public_url=env.checked("KIOSK_PUBLIC_URL", default_url, _web_url),
        trusted_hosts=env.names("KIOSK_TRUSTED_HOSTS"),
        proxy_count=env.number("KIOSK_PROXY_COUNT", 0, low=0, high=10),
        time_zone=env.checked("KIOSK_TIME_ZONE", "Asia/Kolkata", _time_zone),
        save_grace_seconds=env.number("KIOSK_SAVE_GRACE_SECONDS", 2, low=0, high=60),
        outage_seconds=env.number("KIOSK_OUTAGE_SECONDS", 60, low=0, high=86400),
        start_without_redis=env.choice("KIOSK_START_WITHOUT_REDIS", "0", ("0", "1")) == "1",
        mail_url=env.checked("KIOSK_MAIL_URL", "", mail_address.problem) or None,
        backup_dir=Path(env.text("KIOSK_BACKUP_DIR", str(instance_dir / "backups"))).expanduser().absolute(),
        log_level=env.choice("KIOSK_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        log_format=env.choice(  # type: ignore[arg-type]
            "KIOSK_LOG_FORMAT", "json" if mode == "production" else "text", ("text", "json")
        ),
    )


class _Reader:
    """Reads variables and raises SettingsError with their names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def raw(self, name: str) -> str | None:
        return self._environ.get(name)

    def text(self, name: str, default: str) -> str:
        value = self._environ.get(name)
        if value is None:
            return default
        if not value.strip() or any(ord(char) < 32 for char in value):
            raise SettingsError(f"{name}: must not be empty or hold control characters")
        return value.strip()

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit()) or not low <= int(value) <= high:
            raise SettingsError(f"{name}: must be a whole number from {low} to {high}, not {value!r}")
        return int(value)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise SettingsError(f"{name}: must be {' or '.join(allowed)}, not {value!r}")
        return value

    def checked(self, name: str, default: str, check: Callable[[str], str | None]) -> str:
        value = self._environ.get(name, default).strip()
        wrong = check(value)
        if wrong:
            raise SettingsError(f"{name}: {wrong}")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._environ.get(name, "").split(",") if part.strip())


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _database_url(url: str) -> str:
    if url.startswith("postgresql://"):
        return url.replace("postgresql://", "postgresql+psycopg://", 1)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError("KIOSK_DATABASE_URL: must begin with sqlite:/// or postgresql+psycopg://")
    return url


def _web_url(url: str) -> str | None:
    return None if url.startswith(("http://", "https://")) else "must begin with http:// or https://"


def _time_zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return f"there is no time zone {name!r} (for example Asia/Kolkata)"
    return None


def _check_tls_files(tls: str) -> None:
    certificate, _, key = tls.partition(":")
    if not key:
        raise SettingsError("KIOSK_TLS: must be off, auto or CERT:KEY")
    for path in (certificate, key):
        if not Path(path).is_file():
            raise SettingsError(f"KIOSK_TLS: there is no file {path}")


def _make_private_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"KIOSK_INSTANCE_DIR: cannot make {path}: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise SettingsError(f"KIOSK_INSTANCE_DIR: {path} is not writable")


def _secret_key(given: str | None, instance_dir: Path, *, production: bool) -> str:
    """A given key, or one made once and kept in the instance with mode 600."""
    if given is not None or production:
        if given is None or len(given) < SHORTEST_SECRET:
            raise SettingsError(f"KIOSK_SECRET_KEY: must be set and at least {SHORTEST_SECRET} characters long")
        return given
    path = instance_dir / "secret_key"
    if not path.exists():
        draft = instance_dir / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        # a link is made whole or not at all: of two commands that start at once one makes the key, both read it
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()
