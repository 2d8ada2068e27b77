"""Commands as data: drawn at random, sent by concurrent clients, and told again as a shell script."""
