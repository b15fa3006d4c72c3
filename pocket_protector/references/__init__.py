"""Resolve references to values outside of the file, and log each access."""
