"""A backup as one file: a tar with a manifest first, which has size and hash of everything that follows."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "manifest.json"
PRODUCT, FORMAT = "exam-kiosk", 1
CHUNK = 1 << 20
BIGGEST_MANIFEST = 1 << 20


class BackupRefused(Exception):
    """A backup cannot be made or restored; the text is one line that says why."""


def write(target: Path, files: Mapping[str, Path], facts: Mapping[str, Any]) -> None:
    """Write `files` under their names into `target`, readable to its owner only: whole, or not at all.

    Raises BackupRefused if the file is there already, OSError if it cannot be written.
    """
    if target.exists():
        raise BackupRefused(f"{target} is there already")
    listed = {name: {"size": path.stat().st_size, "sha256": _hash(path)} for name, path in files.items()}
    manifest = {"product": PRODUCT, "format": FORMAT, **facts, "files": listed}
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(draft, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=4, format=tarfile.PAX_FORMAT) as tar:
                _add(tar, MANIFEST, json.dumps(manifest, indent=1).encode())
                for name, path in files.items():
                    tar.add(path, arcname=name, recursive=False, filter=_anonymous)
            raw.flush()
            os.fsync(raw.fileno())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def read(source: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup into `folder` and return its manifest, once every hash fits. Raises BackupRefused, OSError."""
    try:
        with tarfile.open(source, mode="r:gz") as tar:
            manifest = _manifest(tar)
            missing = dict(manifest["files"])
            while (member := tar.next()) is not None:
                expected = missing.pop(member.name, None)
                if expected is None or not member.isfile():
                    raise BackupRefused(f"{source} holds something that its list does not name")
                _unpack(tar, member, folder, expected)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupRefused(f"{source} is no whole backup of Exam Kiosk ({type(error).__name__})") from None
    if missing:
        raise BackupRefused(f"{source} lacks {next(iter(missing))}")
    return manifest


def _manifest(tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    if first is None or first.name != MANIFEST or not first.isfile() or first.size > BIGGEST_MANIFEST:
        raise ValueError("no manifest")
    manifest = json.loads(tar.extractfile(first).read())  # type: ignore[union-attr]
    if manifest["product"] != PRODUCT:
        raise ValueError("not ours")
    if manifest["format"] != FORMAT:
        raise BackupRefused(f"the backup has format {manifest['format']}; this version reads {FORMAT}")
    return manifest


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, expected: Mapping[str, Any]) -> None:
    """Write one member below `folder`, whatever its name tries, and compare size and hash."""
    parts = PurePosixPath(member.name).parts
    if not parts or member.name.startswith("/") or ".." in parts or member.size != expected["size"]:
        raise BackupRefused(f"{member.name} is not what the backup's list says")
    path = folder.joinpath(*parts)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None, "a plain file has content"
    digest = hashlib.sha256()
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            out.write(chunk)
    if digest.hexdigest() != expected["sha256"]:
        raise BackupRefused(f"{member.name} was changed since the backup was made, or the medium is failing")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, io.BytesIO(content))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
