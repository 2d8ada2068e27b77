"""The trace of a command: what the stores and topics hold of it, put together without any I/O of its own."""
