"""Calling a backend's hooks: who may answer, what an answer must be, how a failure is told."""
