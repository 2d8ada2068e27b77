"""What Cheeper's services share: messages, views, topics and routes, and nothing that does anything.

`commands` and `events` are the messages, `envelope` and `codec` carry them over Kafka, `topics` and `partitions` say
where to, and `dead_letters` what a copy of a parked one has beside them; `views` is what the projector writes and
read-api reads; `routes` and `answers` are the HTTP side.
"""
