"""The load generator, and the requests and commands that it sends."""
