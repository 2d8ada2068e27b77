"""The outbox holds the messages that a transaction leaves for Kafka. A writer needs only `append_all` and `hint`."""

from write_api.outbox.writer import append_all, hint

__all__ = ["append_all", "hint"]
