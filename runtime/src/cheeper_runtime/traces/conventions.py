"""The names of attributes: those of OpenTelemetry's semantic conventions 1.37, pinned here, and a few of our own.

ATTRIBUTES is the list of all that a span may have. None of them holds what an author wrote, an address or a token: ids,
types, names of topics and stores, numbers and outcomes only. So no span has `url.path`, `url.query` or an exception's
text.

Sources: https://opentelemetry.io/docs/specs/semconv/http/http-spans/, …/messaging/kafka/ and …/database/.
"""

from __future__ import annotations

from typing import Final

HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
OTHER_METHOD: Final = "_OTHER"

MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_OPERATION: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_PARTITION: Final = "messaging.destination.partition.id"
MESSAGING_OFFSET: Final = "messaging.kafka.offset"
MESSAGE_ID: Final = "messaging.message.id"
BATCH_COUNT: Final = "messaging.batch.message_count"
KAFKA: Final = "kafka"

DB_SYSTEM: Final = "db.system.name"
DB_SYSTEMS: Final = {"postgres": "postgresql", "redis": "redis", "mongo": "mongodb"}
"""The conventions' names of the databases, by ours."""

ERROR_TYPE: Final = "error.type"

MESSAGE_TYPE: Final = "cheeper.message.type"
"""The type of a command or an event, such as `cheeper.cheep-posted.v1`."""
CORRELATION_ID: Final = "cheeper.correlation_id"
OUTCOME: Final = "cheeper.command.outcome"
"""`changed`, `unchanged`, `repeated`, or the code of the refusal."""
GENERATION: Final = "cheeper.store.generation"
PARKED: Final = "cheeper.message.parked"
QUERY: Final = "cheeper.query"
SETTLED: Final = "cheeper.query.settled"
SLICE_SIZE: Final = "cheeper.slice.size"

ATTRIBUTES: Final = frozenset(
    {
        *(HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS),
        *(MESSAGING_SYSTEM, MESSAGING_OPERATION, MESSAGING_OPERATION_TYPE, MESSAGING_DESTINATION, MESSAGING_PARTITION),
        *(MESSAGING_OFFSET, MESSAGE_ID, BATCH_COUNT, DB_SYSTEM, ERROR_TYPE),
        *(MESSAGE_TYPE, CORRELATION_ID, OUTCOME, GENERATION, PARKED, QUERY, SETTLED, SLICE_SIZE),
    }
)
"""Everything that a span of a service may have."""
