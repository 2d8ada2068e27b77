"""The contracts that Cheeper's services share: messages, views, topics and routes. They contain no behaviour.

`commands` and `events` are the messages, `catalogue` lists them, and `superseded` upgrades older versions. `kafka`
carries them, split into `partitions`. The projector writes `views` and read-api reads them; `words` splits a text for
search. `http` is the HTTP side.
"""
