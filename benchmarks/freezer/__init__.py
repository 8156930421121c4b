"""The Freezer backend and its peers before a real Keystone and a real Freezer API."""
