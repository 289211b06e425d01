"""Disks that are small, full or read-only, and files that may not grow."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def mount(folder: Path, megabytes: int) -> bool:
    """Mount an empty disk of that size; return whether this machine lets us."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


def may_mount() -> bool:
    """Whether this machine lets us mount a disk."""
    with tempfile.TemporaryDirectory() as folder:
        if not mount(Path(folder), 1):
            return False
        unmount(Path(folder))
    return True


def make_read_only(folder: Path) -> None:
    """Let nothing more be written on a mounted disk."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


def may_limit() -> bool:
    """Whether there is a program that limits other processes."""
    return shutil.which("prlimit") is not None


def unmount(folder: Path) -> None:
    """Take a disk away, whoever still uses it."""
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, *, but_bytes: int = 0) -> Path:
    """Leave not a byte free, or only so many; return the file that takes all the room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
        file.truncate(max(file.tell() - but_bytes, 0))
    return filler


@contextmanager
def files_may_not_grow(processes: list[psutil.Process], *, over_bytes: int = 0) -> Iterator[None]:
    """Refuse every write beyond a size, as a full disk would, to these processes and those that they start."""
    _limit(processes, str(over_bytes))
    try:
        yield
    finally:
        _limit(processes, "unlimited")


def _limit(processes: list[psutil.Process], most: str) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            command = ["prlimit", f"--pid={process.pid}", f"--fsize={most}:"]
            # root inside a container has no power over another user's process, that user has
            owner = process.username()
            command = ["runuser", "-u", owner, "--", *command] if os.getuid() == 0 and owner != "root" else command
            subprocess.run(command, check=process.is_running(), capture_output=True)
