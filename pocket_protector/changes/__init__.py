"""Pure functions from a document to a changed document."""
