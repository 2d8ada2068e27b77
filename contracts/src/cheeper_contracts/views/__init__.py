"""The views: what the projector writes and read-api reads, each declared once, with its lag objective.

`redis` has the hot views and `mongo` the documents, `entries` packs the elements of lists, `records` has the records of
cheeps and commands, and `lua` declares all that for server-side functions. Other packages use them as `views.NAME`.
"""

from cheeper_contracts.views.entries import *  # noqa: F403 - one namespace for readers and writers of views
from cheeper_contracts.views.lua import *  # noqa: F403 - as above
from cheeper_contracts.views.mongo import *  # noqa: F403 - as above
from cheeper_contracts.views.records import *  # noqa: F403 - as above
from cheeper_contracts.views.redis import *  # noqa: F403 - as above
