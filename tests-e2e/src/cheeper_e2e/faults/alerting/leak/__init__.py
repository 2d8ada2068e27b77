"""On the PYTHONPATH of a stack: its module is imported at the start of each process."""
