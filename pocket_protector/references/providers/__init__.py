"""The sources of references: one file or folder for each provider."""
