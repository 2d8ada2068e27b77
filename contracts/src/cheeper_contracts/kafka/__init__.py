"""The transport of messages: topics, the envelope in Kafka's headers, the codec, and the headers of a dead letter."""
