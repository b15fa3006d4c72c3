"""The interface for other programs' packages: the plugins they provide, and how they are found (docs/plugins.md)."""
