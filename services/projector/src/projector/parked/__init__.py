"""Parked messages: what could not be applied, and its replay."""
