"""The relay's side of Kafka: its producer, and the topic of events as it stands."""
