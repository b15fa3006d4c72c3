"""`KeyFile`, the main class of the library, and the credentials for its methods."""
