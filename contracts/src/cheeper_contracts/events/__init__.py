"""The events, one file each: what has happened to an author, in the past tense, and the outcomes of commands that
changed nothing.

A handled command leaves exactly one message: the event of what it changed, or `CommandHandled` where its act was
already true, or `CommandRejected` where the domain refused it. So one message of `cheeper.events` settles a command.

Times are int64 microseconds since the epoch, UTC; ids are UUIDs as lower-case text. No event carries an e-mail address.
`cheeper_contracts.catalogue` has the table of them all.
"""
