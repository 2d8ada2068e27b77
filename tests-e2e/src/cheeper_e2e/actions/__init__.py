"""Commands as data: drawn at random, sent by concurrent clients, and written as a shell script."""
