"""The relay reads the outbox in commit-safe order, numbers each message in its partition, and sends it to Kafka."""
