"""Sealed packages (docs/packages.md)."""
