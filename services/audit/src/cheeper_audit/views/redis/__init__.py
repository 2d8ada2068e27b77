"""One file a view; `base.py` has what they have in common."""
