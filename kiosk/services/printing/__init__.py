"""What a centre prints before, during and after a shift: lists, seat plan, admit cards, and the register."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.services.printing.sheets import Sheet


def pdf(sheet: Sheet, *, tell: Callable[[int], None] = lambda _done: None) -> bytes:
    """Return the sheet as a PDF; `tell` is called with the number of people that are drawn.

    The drawing comes into memory with the first sheet: fonts and shaping take 30 MB that most processes never need.
    """
    from kiosk.services.printing import drawing

    return drawing.pdf(sheet, tell=tell)
