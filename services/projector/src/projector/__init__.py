"""The projector: from the event log to the views in Redis and MongoDB.

`messages` decodes, `projections` are pure functions from an event to writes, `stores` apply writes together with a
checkpoint, and `consumer` is the loop from one to the other. `kafka` reads the log, `bootstrap` builds a process, and
`cli` starts it. `generations`, `parked` and `fan_out` are features beside the loop, `ops` is for operators.
"""
