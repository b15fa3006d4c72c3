"""Judge each step of the file against the earlier versions: the right to each change, and the trust of a reader."""
