"""`python -m pocket_protector`."""

from pocket_protector.cli import main

if __name__ == "__main__":
    main()
