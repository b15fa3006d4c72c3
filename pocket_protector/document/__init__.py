"""The content of a protected file, as frozen objects."""
