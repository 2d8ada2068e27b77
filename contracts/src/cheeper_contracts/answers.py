"""The former name of `cheeper_contracts.responses`."""

from cheeper_contracts.responses import *  # noqa: F403 - until every import has the new name
