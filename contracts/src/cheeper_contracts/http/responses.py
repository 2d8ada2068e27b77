"""The body of every HTTP response, errors too: `{"data": …, "meta": {"message_id": …}}`, and the status of each code.

`Answer`, `Meta` and `Problem` are names of the API document, so they stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, Generic, TypeVar

import msgspec

Data = TypeVar("Data")

MESSAGE_ID_HEADER: Final = "X-Message-Id"
"""The header with the message id, on every response and on every request through the gateway.

The gateway gives each request an id, a UUID, in place of what the client sent. A service takes it for the message id,
unless a command has an Idempotency-Key. So the id in the gateway's own 503, for a command whose outcome it cannot know,
is the id that the command runs under."""
CLIENT_ADDRESS_HEADER: Final = "X-Client-Address"
"""The header in which the gateway passes on the address of the client, in place of what the client sent."""
IDEMPOTENCY_KEY_HEADER: Final = "Idempotency-Key"
RETRY_AFTER_SECONDS: Final = 1
OVERDUE_SECONDS: Final = 60
"""The age after which a command that is still accepted is overdue: it may be lost, and its sender may repeat it."""
COMMAND_RECORD_SECONDS: Final = 7 * 24 * 3600
"""The time for which the outcome of a command can be queried."""
FIELDS_NAMED: Final = 20
"""The most wrong fields that one error names, so that a response is not larger than what it responds to."""
PARAMETERS_READ: Final = 50
"""The most parameters that are read of a query string, far more than any request has."""
_NAME_LENGTH: Final = 64
NO_SNIFF: Final = ("X-Content-Type-Options", "nosniff")
"""The header of every response: it is of the type that it declares, whatever a browser makes of its bytes."""
NO_STORE: Final = ("Cache-Control", "no-store")
"""The header of every response but those of public queries (`read_api.http.caching`)."""


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The command's or query's id, the cursor of the next page, the number of entries of the whole list and of those
    that its reader has not read, where these are known, whether the data is stale after a wait, and whether a search
    found more than its `total`, which is counted up to a bound.
    """

    message_id: str
    next_cursor: str | None = None
    total: int | None = None
    unread: int | None = None
    stale: bool = False
    total_is_capped: bool = False


class Answer(msgspec.Struct, Generic[Data], frozen=True, kw_only=True):
    """The body of a response."""

    data: Data
    meta: Meta


class WrongField(msgspec.Struct, frozen=True):
    """A field that was refused, and one sentence on why."""

    field: str
    message: str


def first_wrong(fields: Iterable[WrongField]) -> tuple[WrongField, ...]:
    """Return the fields that an error names: the first 20, with the first 64 characters of each name."""
    named = islice(fields, FIELDS_NAMED)
    return tuple(
        field if len(field.field) <= _NAME_LENGTH else WrongField(f"{field.field[:_NAME_LENGTH]}…", field.message)
        for field in named
    )


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The `data` of an error: one sentence, a stable code, and the fields where fields are wrong."""

    message: str
    code: str
    fields: tuple[WrongField, ...] = ()


STATUS_OF: Final[dict[str, int]] = {
    "malformed_json": 400,
    "unauthenticated": 401,
    "not_allowed": 403,
    "author_not_found": 404,
    "cheep_not_found": 404,
    "notification_not_found": 404,
    "command_not_found": 404,
    "no_such_path": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "username_taken": 409,
    "email_taken": 409,
    "author_id_taken": 409,
    "cheep_id_taken": 409,
    "follow_id_taken": 409,
    "blocked": 409,
    "too_many_follows": 409,
    "too_many_follows_a_day": 409,
    "too_many_posts_a_day": 409,
    "message_id_reused": 409,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "invalid": 422,
    "cannot_follow_self": 422,
    "cannot_mute_self": 422,
    "cannot_block_self": 422,
    "not_the_author": 422,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
    "overloaded": 503,
}
"""The one table from a problem's code to its HTTP status."""
