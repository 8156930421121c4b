"""Schedules: what is protected again and again, and when."""
