"""The export formats that come with the package."""
