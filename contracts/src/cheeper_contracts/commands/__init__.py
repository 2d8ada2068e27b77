"""The commands, one file each: an author's requests, in the imperative, as structs of primitive types.

Every command has one key, the author whose stream its events belong to. The key is the command's Kafka key, its lock
in Postgres and its events' Kafka key, so commands and events of one key run in order and between keys nothing is
promised.

Ids are UUIDs as lower-case text; a birth date is `YYYY-MM-DD`; texts are as the client sent them, not yet checked.
`cheeper_contracts.catalogue` has the table of them all.
"""
