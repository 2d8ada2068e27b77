"""The stack under test, and what runs beside it: an OpenID provider and the receivers of traces."""
