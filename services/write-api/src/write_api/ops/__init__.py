"""Operating a process: its role, its set-up, its metrics, and the failures that it exposes."""
