"""Bytes ↔ `Document`: format 1, and Pocket Protector's own for reading. The only importer of `ruamel.yaml`."""
