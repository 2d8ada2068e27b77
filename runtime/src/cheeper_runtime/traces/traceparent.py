"""The text of a W3C trace context (https://www.w3.org/TR/trace-context/): what a message carries of its trace."""

from __future__ import annotations

import re
from typing import Final

_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED: Final = frozenset("13579bdf")  # the last hexadecimal digit of flags whose lowest bit is set
HEADER: Final = b"traceparent"


def is_traceparent(text: str) -> bool:
    """Return True if the text has the form of the header's value."""
    return _FORM.fullmatch(text) is not None


def is_sampled(traceparent: str | None) -> bool:
    """Return True if the text is a traceparent, and its trace is recorded."""
    return traceparent is not None and traceparent[-1:] in _SAMPLED and is_traceparent(traceparent)


def ids(traceparent: str | None) -> tuple[str | None, str | None]:
    """Return the trace id and the span id for a line of the log, or None twice if the trace is not recorded."""
    if traceparent is None or not is_sampled(traceparent):
        return None, None
    return traceparent[3:35], traceparent[36:52]


def id_fields(traceparent: str | None) -> dict[str, str]:
    """Return the same as fields of a line, none of them if the trace is not recorded."""
    trace_id, span_id = ids(traceparent)
    return {} if trace_id is None or span_id is None else {"trace_id": trace_id, "span_id": span_id}
