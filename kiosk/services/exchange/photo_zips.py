"""Photos in a ZIP, by their names: looked at before anything is unpacked, and never unpacked to a disk."""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
import zlib
from typing import BinaryIO

from flask_babel import gettext as _

from kiosk.services.exchange.problems import FileRefused

MOST_PHOTOS = 50_000
MOST_DIRECTORY = 12 * 1024 * 1024  # the list of contents, which is read as a whole
MOST_UNPACKED = 4 * 1024**3
MOST_RATIO = 100
SMALL = 1024 * 1024  # below this no ratio is suspicious
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"
END_BYTES, LOCATOR_BYTES, LONGEST_COMMENT = 22, 20, 65_535
ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".jar", ".cab", ".iso")
# what computers put into archives without being asked
LITTER = ("thumbs.db", "desktop.ini", ".ds_store")
LITTER_FOLDER = "__MACOSX/"
_LOCKED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# what a broken or hostile archive makes its reader stumble over
_STUMBLES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,
    NotImplementedError,
)


class PhotoWrong(Exception):
    """One photo cannot be had; `text` says why."""

    def __init__(self, text: str) -> None:
        """Keep why."""
        super().__init__(text)
        self.text = text


class PhotoZip:
    """The photos of an archive. Folders in it don't count: a photo is found by the name of its file."""

    def __init__(self, file: BinaryIO) -> None:
        """Look at the list of contents. Raises FileRefused."""
        _demand_small_directory(file)
        try:
            self._archive = zipfile.ZipFile(file)
        except _STUMBLES:
            raise FileRefused(_("the photos are no ZIP archive, or a damaged one")) from None
        entries = self._archive.infolist()
        if len(entries) > MOST_PHOTOS:
            raise FileRefused(_("the ZIP holds more than %(most)s files; send several", most=f"{MOST_PHOTOS:,}"))
        _demand_no_bomb(entries)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._used: set[str] = set()
        for entry in entries:
            _demand_harmless(entry)
            if not entry.is_dir() and not _is_litter(entry.filename):
                self._add(entry)

    def read(self, name: str, most_bytes: int) -> bytes:
        """Return what the ZIP has under this name, no more than one byte above the most. Raises PhotoWrong."""
        entry = self._entries.get(_key(name))
        if entry is None:
            raise PhotoWrong(_("there is no file %(name)s in the ZIP", name=_shown(name)))
        self._used.add(_key(name))
        try:
            with self._archive.open(entry) as file:
                return file.read(most_bytes + 1)
        except _STUMBLES:
            raise PhotoWrong(_("this file of the ZIP is damaged")) from None

    def unused(self) -> list[str]:
        """Return the names of files that nobody asked for."""
        return [_shown(entry.filename) for key, entry in self._entries.items() if key not in self._used]

    def _add(self, entry: zipfile.ZipInfo) -> None:
        if entry.filename.lower().endswith(ARCHIVES):
            raise FileRefused(_("the ZIP holds another archive: %(name)s", name=_shown(entry.filename)))
        if self._entries.setdefault(_key(entry.filename), entry) is not entry:
            raise FileRefused(_("the ZIP holds two files of the same name: %(name)s", name=_shown(entry.filename)))


def _demand_small_directory(file: BinaryIO) -> None:
    """Before zipfile reads the whole list of contents: how long is it?"""
    size = file.seek(0, 2)
    file.seek(max(0, size - END_BYTES - LONGEST_COMMENT))
    tail = file.read()
    place = tail.rfind(END)
    if place < 0 or len(tail) < place + END_BYTES:
        raise FileRefused(_("the photos are no ZIP archive, or a damaged one"))
    count, directory = struct.unpack_from("<HL", tail, place + 10)
    is_huge = tail[max(0, place - LOCATOR_BYTES) : place].startswith(END_64)
    if is_huge or count > MOST_PHOTOS or directory > MOST_DIRECTORY:
        raise FileRefused(_("the ZIP holds more than %(most)s files; send several", most=f"{MOST_PHOTOS:,}"))
    file.seek(0)


def _demand_no_bomb(entries: list[zipfile.ZipInfo]) -> None:
    is_bomb = any(
        entry.file_size > SMALL and entry.file_size > MOST_RATIO * max(1, entry.compress_size) for entry in entries
    )
    if is_bomb or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise FileRefused(_("the ZIP would unpack to far more than its size"))


def _demand_harmless(entry: zipfile.ZipInfo) -> None:
    """Nothing is ever unpacked to a disk, but who sends such names wants something that we don't."""
    given = entry.orig_filename
    parts = given.split("/")
    if "\\" in given or "\0" in given or given.startswith("/") or ":" in parts[0] or ".." in parts:
        raise FileRefused(_("the ZIP holds a path that leads out of it: %(name)s", name=_shown(given)))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FileRefused(_("the ZIP holds a link or something else that is no file: %(name)s", name=_shown(given)))
    if entry.flag_bits & _LOCKED:
        raise FileRefused(_("the ZIP is locked with a password"))
    if entry.compress_type not in _METHODS:
        raise FileRefused(_("the ZIP is packed in an unusual way; pack it anew"))


def _is_litter(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name.startswith(LITTER_FOLDER) or last.startswith("._") or last.lower() in LITTER


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.rpartition("/")[2]).casefold()


def _shown(name: str) -> str:
    """A name that cannot do anything to a page, a log or a terminal."""
    return "".join(char if char.isprintable() else "?" for char in name)[-120:]
