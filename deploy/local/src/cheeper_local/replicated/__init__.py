"""Servers with replicas of themselves, of which tests kill, freeze or promote one."""

from cheeper_local.replicated.availability import Availability
from cheeper_local.replicated.kafka import KafkaCluster
from cheeper_local.replicated.members import HOW
from cheeper_local.replicated.mongo import MongoSet
from cheeper_local.replicated.postgres import PostgresPair
from cheeper_local.replicated.redis import RedisPair

__all__ = ["HOW", "Availability", "KafkaCluster", "MongoSet", "PostgresPair", "RedisPair"]
