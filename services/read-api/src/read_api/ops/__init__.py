"""The metrics of the process."""
