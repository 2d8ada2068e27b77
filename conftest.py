"""All tests may ask for real servers (cheeper_local.testing tells which fixtures there are)."""

pytest_plugins = ["cheeper_local.testing"]
