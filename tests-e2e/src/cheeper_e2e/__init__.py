"""Cheeper from outside, through the gateway: the client, the load, the demo and what the end-to-end suite needs."""
