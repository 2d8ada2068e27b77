"""Cheeper's own issuer of tokens: accounts, sessions and signing keys."""
