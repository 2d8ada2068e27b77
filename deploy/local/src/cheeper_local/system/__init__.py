"""The stack's use of the operating system: ports, processes and programs."""
