"""The outbox: messages that a transaction leaves for Kafka, and where the relay has got to.

A writer needs `append_all`, or `append` for a single message, and `hint` only.
"""

from write_api.outbox.writer import append, append_all, hint

__all__ = ["append", "append_all", "hint"]
