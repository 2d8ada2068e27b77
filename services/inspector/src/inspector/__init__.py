"""The inspector follows a command through every store and topic, and writes nothing.

Its role `operations` is another process, which does what operators request, with an audit trail.
"""
