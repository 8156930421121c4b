"""Turns any backup service into a protection backend."""
