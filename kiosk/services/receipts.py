"""The receipt: a code that proves what was handed in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", CROCKFORD.encode())


def receipt_code(attempt_id: UUID, closed_at: datetime, responses: Sequence[tuple[UUID | str, Any]]) -> str:
    """Return the code: 16 characters, in groups of four.

    Crockford base32 of the SHA-256 over the canonical JSON (sorted keys, no white space, UTF-8) of
    [attempt id, end as ISO 8601 UTC, [[question id, response], … in the paper's order]].
    """
    return sealed_code(attempt_id, closed_at, [canonical([str(asked), response]) for asked, response in responses])


def sealed_code(attempt_id: UUID, closed_at: datetime, answers: Iterable[str]) -> str:
    """As `receipt_code`, of answers that are canonical JSON already: [question id, response]."""
    end = closed_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = f'["{attempt_id}","{end}",[{",".join(answers)}]]'
    # 16 characters of 5 bits each are 10 bytes
    code = base64.b32encode(hashlib.sha256(content.encode()).digest()[:10]).translate(TO_CROCKFORD).decode()
    return f"{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:]}"


def canonical(content: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no white space."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
