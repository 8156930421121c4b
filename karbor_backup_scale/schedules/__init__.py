"""Schedules: what is done again and again, and when."""
