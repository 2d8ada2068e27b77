"""The consumer of one store: it reads the event log, projects, and applies writes with the checkpoint."""
