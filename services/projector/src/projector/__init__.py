"""The projector: from the event log to the views in Redis and MongoDB.

`decoding` reads a message, `projections` says what it writes (pure functions), `stores` write it together with the
checkpoint, `consumer` is the way from one to the other, `log` is Kafka's side of it, `bootstrap` puts a process
together.
"""
