"""Large files that staff send, kept in pieces: written and read without anybody holding the whole in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, BinaryIO
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select

from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Job, UploadChunk

PIECE = 256 * 1024
AT_ONCE = 16  # pieces in one transaction
# how long a file waits for its job to be ordered, and to be confirmed once it was checked
UNCLAIMED, KEPT = timedelta(hours=1), timedelta(hours=24)


class FileGone(Exception):
    """The file was deleted, or never was there."""


def keep(file: IO[bytes], *, now: datetime) -> UUID:
    """Store a file; return the id under which `opened` finds it."""
    upload_id = uuid7()
    for first, contents in _portions(file):
        _add([_row(upload_id, first + place, content, now) for place, content in enumerate(contents)])
    return upload_id


def opened(upload_id: UUID) -> BinaryIO:
    """Return a stored file for reading, outside of transactions. Raises FileGone."""
    return io.BufferedReader(_StoredFile(upload_id), PIECE)


def forget(upload_id: UUID) -> None:
    """Delete a stored file, in short transactions."""
    while _delete_some(upload_id):
        pass


def forget_unclaimed(*, now: datetime) -> int:
    """Delete files whose job is over, or was never ordered; return how many."""
    is_needed = (
        select(Job.id)
        .where(Job.photos_id == UploadChunk.upload_id, or_(Job.finished_at.is_(None), Job.finished_at > now - KEPT))
        .exists()
    )
    # the first piece speaks for its file
    left = select(UploadChunk.upload_id).where(
        UploadChunk.number == 0, UploadChunk.made_at < now - UNCLAIMED, ~is_needed
    )
    ids = list(db.session.execute(left).scalars())
    db.session.rollback()
    for upload_id in ids:
        forget(upload_id)
    return len(ids)


class _StoredFile(io.RawIOBase):
    def __init__(self, upload_id: UUID) -> None:
        pieces = select(func.count(), func.sum(func.length(UploadChunk.content)))
        count, size = db.session.execute(pieces.where(UploadChunk.upload_id == upload_id)).one()
        db.session.rollback()
        if not count:
            raise FileGone
        self._upload_id, self._size, self._position = upload_id, int(size), 0
        self._number, self._piece = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._position >= self._size:
            return 0
        number, offset = divmod(self._position, PIECE)
        if number != self._number:
            self._number, self._piece = number, _piece(self._upload_id, number)
        part = self._piece[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def _piece(upload_id: UUID, number: int) -> bytes:
    content = db.session.execute(
        select(UploadChunk.content).where(UploadChunk.upload_id == upload_id, UploadChunk.number == number)
    ).scalar_one_or_none()
    db.session.rollback()  # no snapshot is held open while somebody works with it
    if content is None:
        raise FileGone
    return bytes(content)


def _portions(file: IO[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Pieces that are written together, with the number of the first; an empty file is one empty piece."""
    first = 0
    while True:
        contents = [content for content in (file.read(PIECE) for _place in range(AT_ONCE)) if content]
        if contents or not first:
            yield first, contents or [b""]
        if len(contents) < AT_ONCE:
            return
        first += AT_ONCE


def _row(upload_id: UUID, number: int, content: bytes, now: datetime) -> dict[str, object]:
    return {"upload_id": upload_id, "number": number, "content": content, "made_at": now}


@retried
def _add(rows: list[dict[str, object]]) -> None:
    with transaction():
        db.session.execute(insert(UploadChunk), rows)


@retried
def _delete_some(upload_id: UUID) -> bool:
    # the last ones first: while any are left the first one is among them, and is found again
    numbers = (
        select(UploadChunk.number)
        .where(UploadChunk.upload_id == upload_id)
        .order_by(UploadChunk.number.desc())
        .limit(4 * AT_ONCE)
    )
    with transaction():
        found = list(db.session.execute(numbers).scalars())
        if found:
            which = (UploadChunk.upload_id == upload_id, UploadChunk.number >= found[-1])
            db.session.execute(delete(UploadChunk).where(*which))
    return bool(found)
