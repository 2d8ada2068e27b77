"""The relay: reads the outbox in commit-safe order, numbers each message in its partition, sends it to Kafka."""

from write_api.relay.relay import Relay

__all__ = ["Relay"]
