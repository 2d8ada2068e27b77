"""One file per view; `base.py` is their base."""
