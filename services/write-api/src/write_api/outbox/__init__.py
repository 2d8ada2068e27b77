"""The outbox: messages that a transaction leaves for Kafka, and where the relay has got to.

A writer needs `append_all` and `hint` only.
"""

from write_api.outbox.writer import append_all, hint

__all__ = ["append_all", "hint"]
