"""`flask backup`: database, uploads and keys of a running installation in one file."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from kiosk.config import Settings
from kiosk.extensions import db
from kiosk.models import Organisation
from kiosk.runtime import archive, dumps
from kiosk.services import schema, seals

# what of the instance is not in the database: the key that signs, the certificates that kiosks trust, uploads
BESIDE = ("secret_key", "tls", "uploads")


def make(settings: Settings, target: Path | None, *, now: datetime) -> Path:
    """Write a backup to `target`, by default into KIOSK_BACKUP_DIR; return the file.

    Safe beside a running server: the database is copied as of one instant. Raises BackupRefused, OSError.
    """
    if target is None:
        settings.backup_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = settings.backup_dir / f"kiosk-{now:%Y%m%dT%H%M%S}.tar.gz"
    target = target.absolute()
    if target.exists():
        raise archive.BackupRefused(f"{target} is there already")
    # drafts lie beside the result: a stick that holds the one holds the other, and /tmp may be small
    with tempfile.TemporaryDirectory(prefix=".kiosk-", dir=target.parent) as name:
        folder = Path(name)
        files = {dumps.name_for(settings): dumps.dump(settings, folder), **_beside(settings.instance_dir)}
        archive.write(target, files, _facts(settings, now))
    return target


def fingerprint(secret_key: str) -> str:
    """Return what tells two secret keys apart and gives neither away."""
    return hashlib.sha256(b"exam kiosk, which key: " + secret_key.encode()).hexdigest()


def _beside(instance_dir: Path) -> dict[str, Path]:
    found = [path for name in BESIDE for path in (instance_dir / name, *(instance_dir / name).rglob("*"))]
    return {str(path.relative_to(instance_dir)): path for path in found if path.is_file() and not path.is_symlink()}


def _facts(settings: Settings, now: datetime) -> dict[str, Any]:
    newest = seals.newest() if not schema.pending_migrations() else None
    return {
        "made_at": now.isoformat(timespec="seconds"),
        "database": "sqlite" if settings.is_sqlite else "postgresql",
        "revision": schema.current_revision(),
        "organisations": list(db.session.scalars(select(Organisation.code).order_by(Organisation.code))),
        "seal": newest.hash if newest else None,
        "secret_key": fingerprint(settings.secret_key),
    }


def listed(settings: Settings) -> list[tuple[str, int, datetime]]:
    """Return the files in KIOSK_BACKUP_DIR, the newest first: name, size, when it was written."""
    try:
        found = [path for path in settings.backup_dir.iterdir() if path.is_file() and not path.name.startswith(".")]
        files = [(path.name, path.stat()) for path in found]
    except OSError:
        return []  # a stick that is not plugged in
    rows = [(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)) for name, stat in files]
    return sorted(rows, key=lambda row: row[2], reverse=True)
