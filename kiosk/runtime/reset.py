"""`manage.py demo-reset`: puts the instance's data aside and loads the demo data anew. Nothing is deleted."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from kiosk import clock, create_app
from kiosk.config import Settings, SettingsError, load_settings
from kiosk.embedded import FILE_NAME as REDIS_FILE
from kiosk.runtime import StartRefused, database, screen
from kiosk.runtime.lock import ServerLock

# certificates that kiosks trust already, and what is a record of the past
STAYS = ("server.lock", "tls", "backups", "logs", REDIS_FILE)
REFUSED, NOTHING_DONE = 1, 2


def main(arguments: list[str]) -> int:
    """Reset; return the exit code: 0 done, 1 refused, 2 not confirmed."""
    try:
        settings = load_settings()
        lock = ServerLock.take(settings.instance_dir)
    except (SettingsError, StartRefused) as refusal:
        return screen.fail(refusal)
    try:
        return _reset(settings, is_sure="--yes" in arguments)
    except (OSError, SettingsError, StartRefused) as failure:
        return screen.fail(failure)
    finally:
        lock.release()


def _reset(settings: Settings, *, is_sure: bool) -> int:
    if settings.is_production:
        return screen.fail("KIOSK_ENV is production: there is no demo data here to reset")
    if not settings.is_sqlite:
        return screen.fail("KIOSK_DATABASE_URL is not the embedded database: empty that one yourself")
    if not is_sure and not _confirmed(settings.instance_dir):
        print("nothing changed", file=sys.stderr)
        return NOTHING_DONE
    aside = put_aside(settings)
    if aside is not None:
        screen.say(f"The old data is in {aside}")
    # read again: the secret key has gone with the data that it signed
    settings = load_settings()
    database.prepare(create_app(settings, background=False), settings, screen.say)
    screen.say("The demo data is fresh")
    return 0


def put_aside(settings: Settings) -> Path | None:
    """Move the instance's data into a new folder `old-<time>` and return it; None when there was nothing."""
    moving = [path for path in sorted(settings.instance_dir.iterdir()) if not _stays(path)]
    file = database.sqlite_file(settings)
    if file is not None and file.parent != settings.instance_dir:
        moving += sorted(file.parent.glob(f"{file.name}*"))
    if not moving:
        return None
    aside = settings.instance_dir / f"old-{clock.now():%Y%m%dT%H%M%S}"
    aside.mkdir(mode=0o700)
    for path in moving:
        shutil.move(path, aside / path.name)
    return aside


def _stays(path: Path) -> bool:
    return path.name in STAYS or path.name.startswith("old-")


def _confirmed(instance_dir: Path) -> bool:
    """Ask on a terminal; without one the question counts as no."""
    if not sys.stdin.isatty():
        return False
    return input(f"  Put the data in {instance_dir} aside and begin anew? [y/N] ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
