"""Servers with replicas of themselves, of which tests kill, freeze or promote one."""

from cheeper_local.testing.replicated.availability import Availability
from cheeper_local.testing.replicated.kafka import KafkaCluster
from cheeper_local.testing.replicated.members import HOW
from cheeper_local.testing.replicated.mongo import MongoSet
from cheeper_local.testing.replicated.postgres import PostgresPair
from cheeper_local.testing.replicated.redis import RedisPair

__all__ = ["HOW", "Availability", "KafkaCluster", "MongoSet", "PostgresPair", "RedisPair"]
