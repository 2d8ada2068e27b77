"""The HTTP paths of the inspector and of operations, which the gateway forwards to them where they run.

What operators do is no command: it makes no event, and no worker handles it. So the `reader` of such a route may send
all of its methods.
"""

from __future__ import annotations

from typing import Final

from cheeper_contracts.actors import OPERATOR
from cheeper_contracts.http.routes import Route

TRACE: Final = Route("/inspector/trace/{of}", queries=("GET",), reader=OPERATOR)
FAILED: Final = Route("/inspector/failed", queries=("GET",), reader=OPERATOR)
AUTHOR: Final = Route("/inspector/author/{author_id}", queries=("GET",), reader=OPERATOR)
SYSTEM: Final = Route("/inspector/system", queries=("GET",), reader=OPERATOR)

ROUTES: Final = (TRACE, FAILED, AUTHOR, SYSTEM)

ACTIONS: Final = Route("/operations", queries=("GET",), reader=OPERATOR, commands=("POST",))
REVEALED: Final = Route("/operations/failed", reader=OPERATOR, commands=("POST",))
GENERATIONS: Final = Route("/operations/generations", queries=("GET",), reader=OPERATOR)
ACTION: Final = Route("/operations/{action_id}", queries=("GET",), reader=OPERATOR)

OPERATIONS: Final = (ACTIONS, REVEALED, GENERATIONS, ACTION)
