"""The errors as the services' API documents show them: grouped by status, each with an example."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from cheeper_contracts.http.responses import STATUS_OF

EXAMPLE_ID: Final = "a64a52cc-3ee9-4a15-918b-099e18b43119"
"""The id in examples."""
SCHEME: Final = "token"
"""The name of the security scheme of tokens."""
SCHEME_DESCRIPTION: Final = (
    "With AUTH=tokens: an access token of identity or of one of ISSUERS, whose subject is the author id of the caller."
)
OPTIONAL_TOKEN: Final[list[dict[str, list[str]]]] = [{SCHEME: []}, {}]
"""The security requirement of an operation that needs a token with AUTH=tokens, and none without."""

STATUS_OF_DOCUMENTED: Final = STATUS_OF | {"wrong_credentials": 401, "too_many_attempts": 429}
"""The status of each code, also of those that identity alone responds with."""
_SENTENCES: Final = {
    "malformed_json": "The body is not JSON",
    "unauthenticated": "A token is needed",
    "wrong_credentials": "The e-mail address or the password is wrong",
    "not_allowed": "The token is another author's, who may not do this",
    "author_not_found": f'Author "{EXAMPLE_ID}" does not exist',
    "cheep_not_found": f'Cheep "{EXAMPLE_ID}" does not exist',
    "notification_not_found": f'Notification "{EXAMPLE_ID}" does not exist',
    "command_not_found": f'Command "{EXAMPLE_ID}" does not exist',
    "no_such_path": "There is no such path",
    "method_not_allowed": "The path does not take this method",
    "request_timeout": "The request did not arrive within 10 s",
    "username_taken": 'The username "bob" is taken',
    "email_taken": "The email is taken",
    "author_id_taken": f'The author id "{EXAMPLE_ID}" belongs to another sign-up',
    "cheep_id_taken": f'The cheep id "{EXAMPLE_ID}" belongs to another cheep',
    "follow_id_taken": f'The follow id "{EXAMPLE_ID}" belongs to another follow',
    "blocked": "One of the two authors blocks the other",
    "too_many_follows": "An author follows at most 10,000 others",
    "too_many_follows_a_day": "An author begins at most 400 follows within 24 hours",
    "too_many_posts_a_day": "An author posts at most 2,400 cheeps within 24 hours",
    "message_id_reused": "The Idempotency-Key came with another request before",
    "body_too_large": "The body is larger than 64 KiB",
    "unsupported_media_type": "The body must be declared as application/json, in UTF-8, without an encoding",
    "invalid": "The request has wrong fields",
    "cannot_follow_self": "An author cannot follow itself",
    "cannot_mute_self": "An author cannot mute itself",
    "cannot_block_self": "An author cannot block itself",
    "not_the_author": f'Cheep "{EXAMPLE_ID}" belongs to another author',
    "rate_limited": "You have sent too many requests; nothing was done",
    "too_many_attempts": "There were too many attempts; wait before the next one",
    "internal": "Something went wrong on our side",
    "unavailable": "This cannot be answered at the moment",
    "overloaded": "Too many requests are being served at the moment; nothing was done",
}


def by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    """Return the codes of each status, in the order of the table of statuses."""
    wanted = set(codes)
    found: dict[int, list[str]] = {}
    for code, status in STATUS_OF_DOCUMENTED.items():
        if code in wanted:
            found.setdefault(status, []).append(code)
    return dict(sorted(found.items()))


def error_example(code: str) -> dict[str, Any]:
    """Return the body of a response with this code. Raise KeyError if no code is spelled so."""
    data: dict[str, Any] = {"message": _SENTENCES[code], "code": code}
    if code == "invalid":
        data["fields"] = [{"field": "author_id", "message": "must be a UUID"}]
    return {"data": data, "meta": {"message_id": EXAMPLE_ID}}
