"""The servers of the stack, one module each, started from what the machine has or from wheels."""

from cheeper_local.servers.base import Server
from cheeper_local.servers.broker import choose as choose_broker
from cheeper_local.servers.kafka import Kafka
from cheeper_local.servers.mongo import Mongo
from cheeper_local.servers.postgres import Postgres
from cheeper_local.servers.redis import RateLimitStore, Redis
from cheeper_local.servers.tansu import Tansu

__all__ = ["Kafka", "Mongo", "Postgres", "RateLimitStore", "Redis", "Server", "Tansu", "choose_broker"]
