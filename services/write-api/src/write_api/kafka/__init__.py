"""The write side's Kafka: topics, the producer of commands, and consumption."""
