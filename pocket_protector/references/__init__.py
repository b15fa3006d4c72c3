"""Values that are kept elsewhere: resolving references, and the log of accesses."""
