"""The process runner: servers, then roles, each restarted when it dies, all stopped in order."""
