"""Kafka: the assignment, the topic and its end, consumer groups, dead letters and accepted commands."""
