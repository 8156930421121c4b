"""What the SQL store is made of."""
