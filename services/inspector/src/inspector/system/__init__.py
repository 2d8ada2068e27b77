"""The whole system as one picture: processes, topics and stores, and what waits between them."""
