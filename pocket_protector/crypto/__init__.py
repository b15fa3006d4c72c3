"""Bytes in, bytes out. The only importer of `nacl` and `argon2`; knows no file, name rule or YAML."""
