"""`make demo`: the book's "Demo Time", step by step."""
