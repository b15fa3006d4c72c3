"""The command line: parses, calls and prints. The only importer of `typer` and `rich`."""
