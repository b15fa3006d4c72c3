"""What a protected file holds, as frozen objects."""
