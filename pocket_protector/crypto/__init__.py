"""Cryptography: bytes in, bytes out. Only this folder imports `nacl` and `argon2`."""
