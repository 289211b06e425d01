"""The receipt: a code that proves what was handed in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16


def receipt_code(attempt_id: UUID, closed_at: datetime, responses: Sequence[tuple[UUID | str, Any]]) -> str:
    """Return the code: 16 characters, in groups of four.

    Crockford base32 of the SHA-256 over the canonical JSON (sorted keys, no white space, UTF-8) of
    [attempt id, end as ISO 8601 UTC, [[question id, response], … in the paper's order]].
    """
    end = closed_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = [str(attempt_id), end, [[str(question_id), response] for question_id, response in responses]]
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    bits = int.from_bytes(hashlib.sha256(canonical.encode()).digest(), "big")
    characters = [CROCKFORD[bits >> 256 - 5 * (place + 1) & 31] for place in range(CODE_LENGTH)]
    return "-".join("".join(characters[start : start + 4]) for start in range(0, CODE_LENGTH, 4))
