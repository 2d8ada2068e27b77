"""The breaking changes between two states of the contracts: the published one and that of the code.

A state has an entry for each thing that consumers know by name (a message's type and version, a view document, a key
pattern, a collection, a topic). An entry's `schema` may gain optional fields, its `indexes` others, and its `config`
settings that were left to the broker; all else that was published has to stay as it is. A schema that allows more is
broken too: old consumers read the log as well, and would refuse what they do not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]
State = Mapping[str, Entry]


def breaks(published: State, current: State) -> dict[str, list[str]]:
    """Return the reasons by the name of each published entry that the current state breaks."""
    return {name: why for name, entry in published.items() if (why := list(_of_entry(entry, current.get(name))))}


def _of_entry(old: Entry, new: Entry | None) -> Iterator[str]:
    if new is None:
        yield "is gone"
        return
    for what, was in old.items():
        now = new.get(what)
        if what == "schema":
            yield from _of_schema(was, now or {})
        elif what == "indexes":
            yield from (f"the index on {', '.join(index)} is gone" for index in was if index not in (now or ()))
        elif what == "config" and now is not None and all(now.get(name) == value for name, value in was.items()):
            continue
        elif now != was:
            yield f"{what} was {_json(was)} and is {_json(now)}"


def _of_schema(old: Entry, new: Entry) -> Iterator[str]:
    """Compare field by field, and the nested structs in `$defs` like the schema itself."""
    fields, now = old.get("properties", {}), new.get("properties", {})
    for name, was in fields.items():
        if name not in now:
            yield f"the field {name} is gone"
        elif now[name] != was:
            yield f"the field {name} was {_json(was)} and is {_json(now[name])}"
    required, must = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(must - required):
        yield f"the field {name} is required, " + ("and could be left out" if name in fields else "and new")
    for name in sorted(required & now.keys() - must):
        yield f"the field {name} was required, and may be left out"
    for name, definition in old.get("$defs", {}).items():
        yield from (f"{name}: {why}" for why in _of_schema(definition, new.get("$defs", {}).get(name, {})))
    for keyword in sorted((old.keys() | new.keys()) - {"properties", "required", "$defs"}):
        if old.get(keyword) != new.get(keyword):
            yield f"{keyword} was {_json(old.get(keyword))} and is {_json(new.get(keyword))}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
