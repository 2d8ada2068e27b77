"""The stores of views."""
