"""Dead letters of every consumer: the limit of poison messages, and the commands for parked messages."""
