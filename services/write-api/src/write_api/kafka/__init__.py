"""The clients of Kafka that several parts share: the topics, the producer of commands, and errors."""
