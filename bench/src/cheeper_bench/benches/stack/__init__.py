"""The whole stack, as its users meet it."""
