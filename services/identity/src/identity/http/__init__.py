"""The HTTP edge: from a request to a use case and back."""
