"""Durable fan-out tasks."""
