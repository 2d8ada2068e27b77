"""The receivers of the traces of a stack under test: one of our own, and a real Jaeger where there is one."""
