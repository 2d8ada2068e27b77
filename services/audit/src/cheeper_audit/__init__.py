"""The audit: it compares every view with the write model, reports each difference, and repairs it on request."""
