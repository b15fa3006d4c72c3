"""`KeyFile`, the library's face, and the credentials that it takes."""
