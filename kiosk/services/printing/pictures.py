"""Pictures on paper: photos as small as the print needs them, and the QR code of a service number."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import segno
from PIL import Image, UnidentifiedImageError

PRINTED = (192, 240)  # 20 mm at 240 dots an inch
SHOWN = (104, 128)  # 600 of them in one page are still sent in a moment
QUALITY = 80


def small(image: bytes | None, size: tuple[int, int] = PRINTED) -> bytes | None:
    """Return the photo in the size in which it is drawn; None without one, and for one that can't be read."""
    if image is None:
        return None
    try:
        with Image.open(io.BytesIO(image)) as photo:
            if photo.format == "JPEG" and photo.width <= size[0] and photo.height <= size[1]:
                photo.load()
                return image
            # the decoder leaves out what is thrown away anyway: 600 photos in a second
            photo.draft("RGB", size)
            flat = photo.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    flat.thumbnail(size)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def as_address(image: bytes | None) -> str:
    """Return the photo as an address that holds it; empty without one."""
    made = small(image, SHOWN)
    return f"data:image/jpeg;base64,{base64.b64encode(made).decode()}" if made else ""


def code_address(service_no: str) -> str:
    """Return the QR code of a service number, and of nothing else, as an address that holds it."""
    return str(_code(service_no).svg_data_uri(scale=4, border=2, light="white"))


def code_runs(service_no: str) -> tuple[int, Iterator[tuple[int, int, int]]]:
    """Return the QR code's width in modules, and its dark runs: column, row, length."""
    matrix = [list(row) for row in _code(service_no).matrix]
    return len(matrix), _runs(matrix)


def _runs(matrix: list[list[int]]) -> Iterator[tuple[int, int, int]]:
    for line, row in enumerate(matrix):
        start = 0
        while start < len(row):
            end = start
            while end < len(row) and row[end]:
                end += 1
            if end > start:
                yield start, line, end - start
            start = end + 1


def _code(service_no: str) -> segno.QRCode:
    return segno.make(service_no, error="m", micro=False)
