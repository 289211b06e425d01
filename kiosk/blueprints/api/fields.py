"""The fields of request bodies: each says in JSON Schema what it takes, and takes exactly that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from kiosk.errors import BadInput, NotFound
from kiosk.services.answers import LARGEST_SEQ
from kiosk.services.responses import LONGEST_TEXT

UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
UUID_LENGTH = 36


class Field(Protocol):
    """One field: its schema, and the value of what was sent."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        ...

    def read(self, value: Any) -> Any:
        """Return the value. Raises BadInput, NotFound."""
        ...


@dataclass(frozen=True)
class Text:
    """A string of some length, without NUL and half characters."""

    most: int
    least: int = 0
    is_secret: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema; at least one character is asked for as one that can be seen."""
        seen = r"\S[^\x00]*" if self.least else ""
        found = {"type": "string", "maxLength": self.most, "pattern": rf"^[^\x00]*{seen}$"}
        return found | ({"format": "password"} if self.is_secret else {})

    def read(self, value: Any) -> str:
        """Return the string."""
        if not isinstance(value, str):
            raise BadInput(problem="must be a string")
        if len(value) > self.most:
            raise BadInput(problem=f"must be at most {self.most} characters long")
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise BadInput(problem="holds characters that cannot be stored")
        return value


@dataclass(frozen=True)
class Id:
    """An id. A string that is none names nothing: that is not found, not malformed."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        return {"type": "string", "format": "uuid", "pattern": UUID_PATTERN}

    def read(self, value: Any) -> UUID:
        """Return the id."""
        if not isinstance(value, str):
            raise BadInput(problem="must be an id")
        return uuid_of(value)


@dataclass(frozen=True)
class Whole:
    """A whole number, and no boolean that looks like one. JSON knows no difference between 1 and 1.0."""

    least: int
    most: int

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def read(self, value: Any) -> int:
        """Return the number."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise BadInput(problem=f"must be a whole number from {self.least} to {self.most}")
        return value


@dataclass(frozen=True)
class Response:
    """An answer of any question type; whether it fits the question is judged by the service."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        return {"$ref": "#/components/schemas/Response"}

    def read(self, value: Any) -> Any:
        """Return the value as it came."""
        return value


@dataclass(frozen=True)
class Ids:
    """A list of question ids."""

    most: int = 500

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        return {"type": "array", "maxItems": self.most, "items": Id().schema}

    def read(self, value: Any) -> list[UUID]:
        """Return the ids."""
        if not isinstance(value, list) or len(value) > self.most:
            raise BadInput(problem=f"must be a list of at most {self.most} ids")
        return [Id().read(one) for one in value]


@dataclass(frozen=True)
class SecondsById:
    """Seconds for each of some questions."""

    most: int = 500
    number: Whole = field(default_factory=lambda: Whole(0, 10_000_000))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        return {
            "type": "object",
            "maxProperties": self.most,
            "propertyNames": {"pattern": UUID_PATTERN},
            "additionalProperties": self.number.schema,
        }

    def read(self, value: Any) -> dict[UUID, int]:
        """Return the seconds by question id."""
        if not isinstance(value, dict) or len(value) > self.most:
            raise BadInput(problem=f"must be an object of at most {self.most} numbers")
        return {uuid_of(key): self.number.read(one) for key, one in value.items()}


@dataclass(frozen=True)
class Body:
    """The fields of a call's body; `optional` ones may be missing, but not be null."""

    required: dict[str, Field]
    optional: dict[str, Field] = field(default_factory=dict)
    # of each of these groups of optional fields at least one is needed
    any_of: tuple[str, ...] = ()

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema. Unknown fields are ignored."""
        fields = self.required | self.optional
        found: dict[str, Any] = {
            "type": "object",
            "properties": {name: one.schema for name, one in fields.items()},
            "required": list(self.required),
        }
        return found | ({"anyOf": [{"required": [name]} for name in self.any_of]} if self.any_of else {})

    def read(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Return the known fields. Raises BadInput with the field's name, NotFound."""
        missing = [name for name in self.required if name not in sent]
        if self.any_of and not any(name in sent for name in self.any_of):
            missing.append(" or ".join(self.any_of))
        if missing:
            raise BadInput(problem=f"{missing[0]} is missing")
        return {name: self._one(name, one, sent[name]) for name, one in self._known() if name in sent}

    def _known(self) -> list[tuple[str, Field]]:
        return list((self.required | self.optional).items())

    def _one(self, name: str, one: Field, value: Any) -> Any:
        try:
            return one.read(value)
        except BadInput as refused:
            raise BadInput(problem=f"{name} {refused.details['problem']}") from refused


def uuid_of(text: str) -> UUID:
    """Return the id that `text` is. Raises NotFound."""
    try:
        # UUID() also takes braces and missing hyphens, under which nobody would find the same thing again
        return UUID(text) if len(text) == UUID_LENGTH else _nothing()
    except ValueError:
        return _nothing()


def _nothing() -> UUID:
    raise NotFound


RESPONSE_SCHEMA: dict[str, Any] = {
    "description": "single choice: a letter; multiple choice: letters; true/false: a boolean; numeric: a number; "
    "text types: a string; null clears",
    "anyOf": [
        {"type": "string", "maxLength": LONGEST_TEXT},
        {"type": "array", "items": {"type": "string"}},
        {"type": "boolean"},
        {"type": "number"},
        {"type": "null"},
    ],
}
SEQ = Whole(1, LARGEST_SEQ)
