"""The parts of the SQL store."""
