"""One part of the system alone, beside what a user would take instead of it."""
