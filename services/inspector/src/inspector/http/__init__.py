"""The HTTP edge: from a request to a trace and back."""
