"""A database file on a network file system stops the start: SQLite's locks don't hold there (D8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.runtime import database
from kiosk.runtime.disks import network_file_system

MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/exams /srv/exams nfs4 rw 0 0
tmpfs /srv/exams/fast tmpfs rw 0 0
//hall/share /mnt/the\\040hall cifs rw 0 0
broken
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    (tmp_path / "mounts").write_text(MOUNTS)
    return tmp_path / "mounts"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/exams/hall", "nfs4"),
        ("/mnt/the hall/kiosk", "cifs"),
        ("/srv/exams/fast/hall", None),
        ("/srv/examsters", None),
        ("/var/lib", None),
    ],
)
def test_the_longest_mount_point_tells_the_kind(mounts: Path, folder: str, kind: str | None) -> None:
    assert network_file_system(Path(folder), mounts=mounts) == kind


def test_where_nothing_tells_the_disk_counts_as_local(tmp_path: Path) -> None:
    assert network_file_system(Path("/srv"), mounts=tmp_path / "nothing") is None


def test_D8_a_database_on_nfs_stops_the_start_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from kiosk.config import load_settings

    monkeypatch.setattr(database, "network_file_system", lambda _folder: "nfs4")
    settings = load_settings({"KIOSK_INSTANCE_DIR": str(tmp_path)})
    with pytest.raises(database.DatabaseRefused, match=r"KIOSK_DATABASE_URL: .* network file system \(nfs4\)"):
        database._refuse_a_network_disk(settings)
