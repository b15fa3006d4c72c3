"""The command line: parses, calls and prints. The only importer of `typer` and `rich`."""

from typing import NoReturn


def main() -> NoReturn:
    """The entry point of both commands. The older pocket_protector's own `__main__` finds it here too."""
    from pocket_protector.cli.entry import main as run_main

    run_main()
