"""The tests' entry to the local stack: servers (see cheeper_local.testing.fixtures) and waiting for conditions."""

from cheeper_local.testing.faults.proxy import Proxy
from cheeper_local.testing.servers import ServerHandle
from cheeper_local.waiting import eventually, until

__all__ = ["Proxy", "ServerHandle", "eventually", "until"]
