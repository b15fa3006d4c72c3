"""Convert bytes ↔ `Document`: format 1, and Pocket Protector's for reading. Nothing else imports `ruamel.yaml`."""
