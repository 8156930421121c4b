"""The core alone, with the fake backend before it."""
