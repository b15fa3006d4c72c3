"""Judge one step of a file against the state before it."""
