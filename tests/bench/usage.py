"""What processes cost, by the operating system's own accounting."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def family(pid: int) -> list[psutil.Process]:
    """A process and everything that it started."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_ms(processes: Iterable[psutil.Process]) -> float:
    """User and system time so far, that of children which ended already included."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its time stands with its parent now
        total += times.user + times.system + times.children_user + times.children_system
    return total * 1000


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Memory in megabytes: each page that several share is divided among them (PSS); on macOS what is its own."""
    total = 0
    for process in processes:
        try:
            found = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        total += getattr(found, "pss", None) or found.uss
    return total / 1024**2
