"""What kind of disk a folder is on: SQLite's locks and its log need a local one."""

from __future__ import annotations

from pathlib import Path

MOUNTS = Path("/proc/mounts")
NETWORK_KINDS = frozenset({"nfs", "nfs4", "cifs", "smbfs", "smb3", "afs", "ncpfs", "fuse.sshfs", "glusterfs", "ceph"})


def network_file_system(folder: Path, *, mounts: Path = MOUNTS) -> str | None:
    """Return the kind of the network file system that `folder` is on; None for a local disk, or where nobody knows."""
    if not mounts.exists():
        return None  # not Linux
    place, kind = Path("/"), ""
    for line in mounts.read_text(errors="replace").splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mounted = Path(fields[1].replace("\\040", " "))
        # the longest mount point above the folder is the one it is on; of two on one place the later one
        if folder.resolve().is_relative_to(mounted) and len(mounted.parts) >= len(place.parts):
            place, kind = mounted, fields[2]
    return kind if kind in NETWORK_KINDS else None
