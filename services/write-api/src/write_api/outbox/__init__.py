"""The outbox: messages that a transaction leaves for Kafka, and where the relay has got to.

A writer needs `append` and `hint` only.
"""

from write_api.outbox.writer import append, hint

__all__ = ["append", "hint"]
