"""The sources of references that come with the package. Each imports its SDK when a value is fetched."""
