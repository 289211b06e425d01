"""A ZIP of photos is looked at before anything in it is unpacked, and refused whole if it means ill."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile

import pytest

from kiosk.services.exchange import photo_zips
from kiosk.services.exchange.photo_zips import PhotoWrong, PhotoZip
from kiosk.services.exchange.problems import FileRefused
from tests.exchange.photos import picture, zipped

MOST = 10_000


@pytest.fixture(autouse=True)
def in_a_request(app):
    """Refusals are sentences in somebody's language."""
    with app.test_request_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns of what we write on purpose
        yield


def opened(content: bytes) -> PhotoZip:
    return PhotoZip(io.BytesIO(content))


def link(name: str, mode: int = 0o120777) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, mode << 16
    return entry


def flagged(content: bytes, flag: int) -> bytes:
    """The archive with a flag set in its list of contents."""
    place = content.index(b"PK\x01\x02") + 8
    return content[:place] + struct.pack("<H", flag) + content[place + 2 :]


def test_a_photo_is_found_by_its_name_in_any_folder_and_case():
    found = opened(zipped(("Fotos/", b""), ("Fotos/Asha.JPG", b"one"), ("b.jpg", b"two"), ("c.jpg", b"")))
    assert (found.read("asha.jpg", MOST), found.read("b.jpg", MOST)) == (b"one", b"two")
    assert found.unused() == ["c.jpg"]
    with pytest.raises(PhotoWrong):
        found.read("d.jpg", MOST)


def test_what_computers_put_into_archives_by_themselves_counts_for_nothing():
    found = opened(zipped(("a.jpg", b"1"), ("__MACOSX/a.jpg", b"2"), ("x/._a.jpg", b"3"), ("x/.DS_Store", b"4")))
    assert found.read("a.jpg", MOST) == b"1"
    assert found.unused() == []


def test_no_more_is_unpacked_than_was_asked_for():
    assert len(opened(zipped(("a.jpg", b"x" * 50_000))).read("a.jpg", MOST)) == MOST + 1


@pytest.mark.parametrize(
    "content",
    [
        zipped(("../a.jpg", b"")),
        zipped(("x/../../a.jpg", b"")),
        zipped(("/etc/a.jpg", b"")),
        zipped(("C:/a.jpg", b"")),
        zipped(("..\\a.jpg", b"")),
        zipped((link("a.jpg"), b"/etc/passwd")),
        zipped((link("a.jpg", 0o060666), b"")),
        zipped(("a.jpg", b""), ("A.JPG", b"")),
        zipped(("a.jpg", b""), ("x/a.jpg", b"")),
        zipped(("e\u0301.jpg", b""), ("\u00e9.jpg", b"")),
        zipped(("more.zip", zipped(("a.jpg", b"")))),
        zipped(("a.jpg", b""), method=zipfile.ZIP_LZMA),
        flagged(zipped(("a.jpg", b"x")), 1),
        zipped(("a.jpg", b"\0" * 5_000_000)),
        b"",
        b"no archive at all",
        picture(),
        zipped(("a.jpg", b"x" * 1000))[:-30],
    ],
    ids=[
        "above",
        "above, from a folder",
        "absolute",
        "a drive",
        "a backslash",
        "a link",
        "a device",
        "twice but for the case",
        "twice in two folders",
        "twice but for the accents",
        "an archive",
        "an odd way of packing",
        "locked",
        "a bomb",
        "nothing",
        "a text",
        "a picture",
        "half of it",
    ],
)
def test_what_means_ill_is_refused_whole(content):
    with pytest.raises(FileRefused):
        opened(content)


def test_too_many_files_are_refused_before_their_list_is_read(monkeypatch):
    content = zipped(*((f"{place}.jpg", b"") for place in range(20)))
    assert opened(content).unused()
    monkeypatch.setattr(photo_zips, "MOST_PHOTOS", 19)
    monkeypatch.setattr(photo_zips.zipfile, "ZipFile", None)
    with pytest.raises(FileRefused):
        opened(content)


@pytest.mark.parametrize("what", ["MOST_DIRECTORY", "MOST_UNPACKED"])
def test_each_limit_holds(monkeypatch, what):
    monkeypatch.setattr(photo_zips, what, 40)
    with pytest.raises(FileRefused):
        opened(zipped(("a.jpg", b"x" * 41)))


def test_a_list_of_contents_that_speaks_of_more_than_four_gigabytes_is_refused():
    content = zipped(("a.jpg", b"x"))
    place = content.rindex(photo_zips.END)
    with pytest.raises(FileRefused):
        opened(content[:place] + photo_zips.END_64 + b"\0" * 16 + content[place:])


def test_one_damaged_photo_is_only_that_ones_problem():
    content = zipped(("a.jpg", picture()), ("b.jpg", b"right"), method=zipfile.ZIP_STORED)
    place = content.index(b"\xff\xd8") + 20
    found = opened(content[:place] + b"????" + content[place + 4 :])
    with pytest.raises(PhotoWrong):
        found.read("a.jpg", MOST)
    assert found.read("b.jpg", MOST) == b"right"
