"""The joint for other programs' packages: what they provide, and how it is found (docs/plugins.md)."""
