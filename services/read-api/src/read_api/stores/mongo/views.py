"""All views in MongoDB, over two readers: one of look-ups, and one of searches, whose cost a page does not bound."""

from __future__ import annotations

from read_api.stores.mongo.authors import MongoAuthors
from read_api.stores.mongo.cheeps import MongoCheeps
from read_api.stores.mongo.commands import MongoCommands
from read_api.stores.mongo.follows import MongoFollows
from read_api.stores.mongo.hidden import MongoHidden
from read_api.stores.mongo.notifications import MongoNotifications
from read_api.stores.mongo.reader import Reader
from read_api.stores.mongo.search import MongoSearch


class MongoViews:
    """The views of documents, and the commands whose effects are in them."""

    def __init__(self, reader: Reader, searches: Reader) -> None:
        self.authors = MongoAuthors(reader)
        self.cheeps = MongoCheeps(reader)
        self.commands = MongoCommands(reader)
        self.follows = MongoFollows(reader)
        self.hidden = MongoHidden(reader)
        self.notifications = MongoNotifications(reader)
        self.search = MongoSearch(searches)
        self.settled = reader.settled
