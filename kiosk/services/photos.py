"""Photos of candidates: whatever was sent, what is kept is a small JPEG that this server made itself.

Decoding is the dangerous step, so the limits come before it: bytes, then the format and the size that the file's own
header claims. Nothing of the original survives, neither its EXIF (where it was taken) nor anything hidden behind it.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from flask_babel import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import Uuid, bindparam, select

from kiosk.errors import NotFound
from kiosk.extensions import db, read, retried, transaction
from kiosk.models import Candidate, CandidatePhoto
from kiosk.office_errors import WrongField
from kiosk.prepared import Prepared
from kiosk.services import audit
from kiosk.services.audit import Actor, Change

LARGEST_BYTES = 1_500_000
LARGEST_PIXELS = 24_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
KEPT_SIZE = (352, 432)  # twice what the largest place shows
QUALITY = 82
MIME = "image/jpeg"
# what a broken or hostile picture makes its reader stumble over
_STUMBLES = (
    UnidentifiedImageError,
    OSError,
    EOFError,
    ValueError,
    SyntaxError,
    MemoryError,
    LookupError,
    TypeError,
    ArithmeticError,
    NotImplementedError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Photo:
    """A photo as it is served."""

    mime: str
    image: bytes


def prepared(raw: bytes) -> bytes:
    """Return what was sent as a small upright JPEG without metadata. Raises WrongField."""
    if not raw:
        raise WrongField("photo", _("Choose a picture."))
    if len(raw) > LARGEST_BYTES:
        raise WrongField("photo", _("The picture is too large (at most %(most)s MB).", most=LARGEST_BYTES / 1_000_000))
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:  # reads the header only
            if image.width * image.height > LARGEST_PIXELS:
                raise Image.DecompressionBombError
            image.draft("RGB", (KEPT_SIZE[0] * 2, KEPT_SIZE[1] * 2))
            return _small(image)
    except Image.DecompressionBombError as error:
        raise WrongField("photo", _("The picture has too many pixels (at most 24 million).")) from error
    except _STUMBLES as error:
        raise WrongField("photo", _("This is no picture that can be read. Use JPEG, PNG or WebP.")) from error


@retried
def keep(candidate_id: UUID, raw: bytes, *, by: Actor, now: datetime) -> None:
    """Make this the candidate's photo. Raises WrongField, NotFound."""
    image = prepared(raw)
    with transaction():
        keep_prepared(candidate_id, image, by=by, now=now)


def keep_prepared(candidate_id: UUID, image: bytes, *, by: Actor, now: datetime) -> None:
    """Store what `prepared` returned, inside the caller's transaction. Raises NotFound."""
    _lock(candidate_id)
    kept = db.session.get(CandidatePhoto, candidate_id)
    if kept is None:
        db.session.add(CandidatePhoto(candidate_id=candidate_id, mime=MIME, image=image, taken_at=now))
    else:
        kept.mime, kept.image, kept.taken_at = MIME, image, now
    audit.record([Change("candidate", candidate_id, "set_photo", details={"bytes": len(image)})], by=by, now=now)


@retried
def remove(candidate_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Take the photo away; return whether there was one. Raises NotFound."""
    with transaction():
        _lock(candidate_id)
        kept = db.session.get(CandidatePhoto, candidate_id)
        if kept is None:
            return False
        db.session.delete(kept)
        audit.record([Change("candidate", candidate_id, "remove_photo")], by=by, now=now)
    return True


def photo(candidate_id: UUID) -> Photo:
    """Return the candidate's photo. Raises NotFound where there is none."""
    kept = db.session.get(CandidatePhoto, candidate_id)
    if kept is None:
        raise NotFound
    return Photo(kept.mime, kept.image)


def version(candidate_id: UUID) -> int | None:
    """Return a number that changes with the photo, for its address; None without a photo."""
    row = read(_taken_at(), {"p_candidate": candidate_id}).one_or_none()
    return int(row.taken_at.timestamp()) if row else None


@cache
def _taken_at() -> Prepared:
    own = CandidatePhoto.candidate_id == bindparam("p_candidate", type_=Uuid)
    return Prepared(select(CandidatePhoto.taken_at).where(own))


def _small(image: Image.Image) -> bytes:
    has_holes = image.mode in ("P", "LA", "PA", "RGBA")
    whole = image.convert("RGBA") if image.mode in ("P", "LA", "PA") else image
    # before anything copies it: 24 million pixels are much memory
    factor = min(whole.size) // (2 * max(KEPT_SIZE))
    reduced = whole.reduce(factor) if factor > 1 and whole.mode in ("L", "RGB", "RGBA", "CMYK", "YCbCr") else whole
    upright = ImageOps.exif_transpose(reduced)
    flat = upright.convert("RGBA" if has_holes else "RGB")
    flat.thumbnail(KEPT_SIZE)
    if flat.mode == "RGBA":
        ground = Image.new("RGB", flat.size, "white")
        ground.paste(flat, mask=flat.getchannel("A"))
        flat = ground
    clean = Image.new("RGB", flat.size)
    clean.paste(flat)  # a new image: no EXIF, no comment, no colour profile comes along
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _lock(candidate_id: UUID) -> None:
    if db.session.get(Candidate, candidate_id, with_for_update=True, populate_existing=True) is None:
        raise NotFound
