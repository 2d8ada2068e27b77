"""The ways to a process's servers: their URLs, the connection to Kafka, and the files that both name."""
