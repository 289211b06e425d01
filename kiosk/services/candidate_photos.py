"""The photos beside a candidate file: each is made small, and held against the one that the candidate has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import CandidatePhoto
from kiosk.office_errors import WrongField
from kiosk.services import photos
from kiosk.services.exchange.photo_zips import PhotoWrong, PhotoZip

MOST_NAMED = 20

Keep = Callable[[int, bytes], None]


class Photos:
    """The ZIP beside a file. What is new goes to `keep` with its line, one by one: nothing stays in memory."""

    def __init__(self, file: BinaryIO, keep: Keep) -> None:
        """Look at the ZIP's list of contents. Raises FileRefused."""
        self._zip, self.keep = PhotoZip(file), keep
        self._asked: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self._new = 0

    def of_line(self, line: int, name: str, candidate_id: UUID | None, *, keep: bool) -> bool:
        """Take the photo of a line; return whether it is another one than the candidate has. Raises PhotoWrong."""
        self._asked[self._names.setdefault(name.casefold(), name)] += 1
        try:
            image = photos.prepared(self._zip.read(name, photos.LARGEST_BYTES))
        except WrongField as wrong:
            raise PhotoWrong(wrong.sentence) from None
        if candidate_id is not None and image == _present(candidate_id):
            return False
        self._new += 1
        if keep:
            self.keep(line, image)
        return True

    def report(self) -> dict[str, Any]:
        """Return how many photos are new, which files of the ZIP nobody named, and which photos several rows share."""
        unused = self._zip.unused()
        shared = sorted(name for name, count in self._asked.items() if count > 1)
        return {
            "photos": self._new,
            "unused_photos": len(unused),
            "unused_names": unused[:MOST_NAMED],
            "shared_photos": len(shared),
            "shared_names": shared[:MOST_NAMED],
        }


def _present(candidate_id: UUID) -> bytes | None:
    image = db.session.execute(
        select(CandidatePhoto.image).where(CandidatePhoto.candidate_id == candidate_id)
    ).scalar_one_or_none()
    return None if image is None else bytes(image)
