"""The command line: parses, calls and prints. The only importer of `typer` and `rich`."""

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit. The `__main__` of the older pocket_protector calls this function too."""
    from pocket_protector.cli.entry import main as run_main

    run_main()
