"""Requests of authors while the API takes tokens: each is signed for the author who may send it.

    with callers_of("tokens") as (callers, settings), RunningStack.temporary(environment=settings) as stack:
        async with Client(stack.gateway, callers=callers) as client:

The issuer is one of a run's own. Its key is in a folder, so that several processes sign for one stack.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from cheeper_runtime.tokens.testing import MemoryIssuer, new_key

AUTH: Final = "AUTH"
"""The variable that chooses the mode, of the services and of the runs against them."""
_VALID_SECONDS: Final = 24 * 3600
_KEY, _KEY_SET = "signing.pem", "jwks.json"
_NOBODY: Final = str(UUID(int=0))
"""The caller of a request that names no author, such as a search."""
_ACTOR_FIELDS: Final = ("from_author_id", "author_id")
_PATH: Final = re.compile(r"(?:/chapter7)?/(author|command)/([^/]+)")
# Limits are counted, and never reached: that is what tests of them are for.
_LIMITS: Final = {"LIMIT_BURST": "1000000", "LIMIT_PER_MINUTE": "10000000"} | {
    "SIGN_UPS_BURST": "1000000",
    "SIGN_UPS_PER_HOUR": "10000000",
}


class Callers:
    """Signs requests with the key in a folder, and with a new one if it has none.

    The author who may send a request is found in its body, its parameters or its path; the status of a command is for
    the one who sent it.
    """

    def __init__(self, folder: Path) -> None:
        key = folder / _KEY
        if not key.exists():
            key.write_bytes(new_key("EdDSA").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.folder = folder
        self._issuer = MemoryIssuer(key=load_pem_private_key(key.read_bytes(), None))  # type: ignore[arg-type]
        (folder / _KEY_SET).write_bytes(self._issuer.key_set())
        self._tokens: dict[str, str] = {}
        self._senders: dict[str, str] = {}

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a stack that takes these tokens."""
        issuer = self._issuer.issuer
        accepted = {"issuer": issuer.issuer, "audience": issuer.audience, "jwks": str(self.folder / _KEY_SET)}
        return {AUTH: "tokens", "ISSUERS": json.dumps([accepted]), **_LIMITS}

    def authorization(self, author_id: str) -> dict[str, str]:
        """Return the header field with an author's token."""
        if author_id not in self._tokens:
            token = self._issuer.token(author_id, exp=int(time.time()) + _VALID_SECONDS)
            self._tokens[author_id] = f"Bearer {token}"
        return {"Authorization": self._tokens[author_id]}

    def sender_of(self, path: str, content: object, params: Mapping[str, Any] | None) -> str:
        """Return the author who may send a request, or nobody's id. `content` is its body as it is sent."""
        found = _PATH.match(path)
        if found and found[1] == "command":
            return self._senders.get(found[2].lower(), _NOBODY)
        sent = _decoded(content) | dict(params or {})
        named = [sent[name] for name in _ACTOR_FIELDS if name in sent] + ([found[2]] if found else [])
        return next(filter(None, map(_as_id, named)), _NOBODY)

    def note(self, message_id: str, author_id: str) -> None:
        """Note who may read the status of a command, if nobody is known yet."""
        self._senders.setdefault(message_id, author_id)


@contextmanager
def callers_of(auth: str | None) -> Iterator[tuple[Callers | None, dict[str, str]]]:
    """Give who signs the requests of a run in a mode, None in the open one, and the settings of the run's stack."""
    if auth != "tokens":
        yield None, {AUTH: auth or "open"}
        return
    with tempfile.TemporaryDirectory(prefix="cheeper-issuer-") as folder:
        callers = Callers(Path(folder))
        yield callers, callers.settings


def _decoded(content: object) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(content) if isinstance(content, bytes) else None
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _as_id(value: object) -> str | None:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return None
