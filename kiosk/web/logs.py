"""Logs: one line an event, with the request's id; text for people, JSON for machines."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from logging.handlers import RotatingFileHandler
from typing import Any

import structlog

from kiosk.config import Settings

FILE_BYTES = 10 * 1024 * 1024
FILES_KEPT = 5


class KioskFile(RotatingFileHandler):
    """Our own file, so that a second application in one process finds it and adds none."""


def init(settings: Settings, *, request_id: Callable[[], str | None] = lambda: None) -> None:
    """Send the log of this process to standard error and to `instance/logs`; `request_id` stands in each line."""
    root = logging.getLogger()
    if any(isinstance(handler, KioskFile) for handler in root.handlers):
        return
    logs_dir = settings.instance_dir / "logs"
    logs_dir.mkdir(exist_ok=True)
    # several processes must not rotate one file: SQLite has one server process, elsewhere each has its own
    name = "kiosk.log" if settings.is_sqlite else f"kiosk-{os.getpid()}.log"
    file = KioskFile(logs_dir / name, maxBytes=FILE_BYTES, backupCount=FILES_KEPT - 1, delay=True)
    for handler in (logging.StreamHandler(sys.stderr), file):
        handler.setFormatter(_formatter(settings.log_format, request_id))
        root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    logging.getLogger("alembic").setLevel("WARNING")


def _formatter(log_format: str, request_id: Callable[[], str | None]) -> logging.Formatter:
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        partial(_add_request_id, request_id),
        structlog.processors.format_exc_info,
    ]
    if log_format == "json":
        renderer: Any = structlog.processors.JSONRenderer()
    else:
        shared.append(_escape_controls)
        renderer = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )


def _escape_controls(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """What came from outside neither breaks a line nor colours a terminal."""
    text = str(event.get("event", ""))
    event["event"] = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return event


def _add_request_id(
    request_id: Callable[[], str | None], _logger: Any, _method: str, event: dict[str, Any]
) -> dict[str, Any]:
    current = request_id()
    if current:
        event["request_id"] = current
    return event
