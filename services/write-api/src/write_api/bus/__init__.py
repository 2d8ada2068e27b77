"""The command bus."""
