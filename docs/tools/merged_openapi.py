"""The services' OpenAPI documents, merged into the one that clients read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import identity.http.app
import read_api.http.app
import write_api.http.app
from write_api.features import ENDPOINTS

Document = dict[str, Any]

_INFO: Final = {
    "title": "Cheeper",
    "version": "1",
    "description": (
        "Every response is `{data, meta}`, also an error. A command with an `Idempotency-Key` may be repeated without"
        " harm. A query with `after` waits for the effects of that command. docs/api.md is the guide."
    ),
}
_TAGS: Final = (
    {
        "name": "commands",
        "description": "What changes something. With `AUTH=tokens` it needs the actor's token.",
    },
    {"name": "queries", "description": "What reads. With `AUTH=tokens` an author's own pages need the author's token."},
    {"name": "accounts", "description": "Accounts and sessions. They are there with `AUTH=tokens` and no `ISSUERS`."},
)
_ENVELOPE: Final = re.compile(r"Answer_(?:\w+\.)*(\w+?)_(?=[\"\s])")
"""Litestar's name for the type of a whole response, from its module and the type of its data."""


def documents() -> list[Document]:
    """Return the documents of write-api, read-api and identity."""
    return [
        write_api.http.app.api_document(ENDPOINTS),
        read_api.http.app.api_document(),
        identity.http.app.api_document(),
    ]


def merged(parts: Sequence[Document]) -> Document:
    """Return one document. Raise ValueError if two documents describe the same operation, or a component of the same
    name differently.
    """
    paths: dict[str, dict[str, Any]] = {}
    components: dict[str, dict[str, Any]] = {}
    for part in map(_with_short_names, parts):
        for path, operations in part["paths"].items():
            _add(paths.setdefault(path, {}), operations, path)
        for kind, named in part["components"].items():
            _add(components.setdefault(kind, {}), named, kind, same=True)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": "/"}],
        "tags": list(_TAGS),
        "paths": paths,
        "components": {kind: dict(sorted(named.items())) for kind, named in sorted(components.items())},
    }


def text_of(document: Document) -> str:
    """Return the document as JSON."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _add(known: dict[str, Any], more: Mapping[str, Any], where: str, *, same: bool = False) -> None:
    for name, value in more.items():
        if name in known and not (same and known[name] == value):
            raise ValueError(f"two documents have {name} of {where}")
        known[name] = value


def _with_short_names(part: Document) -> Document:
    short: Document = json.loads(_ENVELOPE.sub(r"\1Response", json.dumps(part)))
    for name, schema in short["components"].get("schemas", {}).items():
        schema["title"] = name
    return short
