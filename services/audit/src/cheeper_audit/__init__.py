"""The auditor: proves at rest that every view equals what the write model says, names what differs, and mends it."""
