"""What a protected file holds, as frozen objects, and every change of it as a pure function.

Opens nothing, asks nobody, reads no clock: it is given bytes, times and identities.
"""
