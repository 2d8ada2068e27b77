"""A span as it arrived, read from OTLP as Protobuf or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A span. Ids are in hex, `parent_id` is empty for the beginning of a trace, times are nanoseconds since the epoch.
    `text` is everything that was sent of the span.
    """

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    began: int
    ended: int
    attributes: dict[str, Any]
    links: tuple[str, ...]
    text: str


def from_protobuf(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """Yield the spans of a request."""
    for of_resource in request.resource_spans:
        resource = {each.key: each.value.string_value for each in of_resource.resource.attributes}
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield Span(
                    service=resource.get("service.name", ""),
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    began=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                    attributes={each.key: _value(each.value) for each in span.attributes},
                    links=tuple(link.span_id.hex() for link in span.links),
                    text=f"{of_resource.resource} {span}",
                )


def from_json(resource_spans: Sequence[dict[str, Any]]) -> Iterator[Span]:
    """Yield the spans of a `resourceSpans`, which leaves out what is empty."""
    for of_resource in resource_spans:
        resource = _attributes(of_resource["resource"])
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                yield Span(
                    service=resource.get("service.name", ""),
                    name=span["name"],
                    trace_id=span["traceId"],
                    span_id=span["spanId"],
                    parent_id=span.get("parentSpanId", ""),
                    began=int(span["startTimeUnixNano"]),
                    ended=int(span["endTimeUnixNano"]),
                    attributes=_attributes(span),
                    links=tuple(link["spanId"] for link in span.get("links", ())),
                    text=f"{of_resource['resource']} {span}",
                )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def _attributes(owner: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes. A whole number is a text in JSON, so that it loses nothing."""
    found = {}
    for each in owner.get("attributes", ()):
        ((kind, value),) = each["value"].items()
        found[each["key"]] = int(value) if kind == "intValue" else value
    return found
