"""The demonstration: real data protected by a real Freezer, lost, and brought back."""
