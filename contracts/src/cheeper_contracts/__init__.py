"""The contracts that Cheeper's services share: messages, views, topics and routes. They contain no behaviour.

`commands` and `events` are the messages, `envelope` and `codec` carry them over Kafka, `topics` and `partitions` name
their destinations, and `dead_letters` the headers of a parked message's copy. The projector writes `views` and read-api
reads them; `routes` and `responses` are the HTTP side.
"""
