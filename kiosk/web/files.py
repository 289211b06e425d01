"""Files that are sent to staff."""

from __future__ import annotations

import io
from mimetypes import guess_type

from flask import Response, send_file

from kiosk.services.exchange import writers
from kiosk.services.exports import Export


def sent(content: bytes, name: str) -> Response:
    """Return a file to be saved under this name."""
    kind = writers.MIME.get(name.rpartition(".")[2]) or guess_type(name)[0] or "application/octet-stream"
    return send_file(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=name)


def sent_table(table: Export, name: str, form: str) -> Response:
    """Return a table as a file in this format."""
    content = io.BytesIO()
    writers.write(content, form, table.names, table.rows)
    return sent(content.getvalue(), f"{name}.{form}")
