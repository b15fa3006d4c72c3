"""Find, read and atomically replace files, and manage the user's own folder. No other room opens a path."""

from pocket_protector.files.atomic_write import Target, replacing
from pocket_protector.files.bounded_read import read, read_start
from pocket_protector.files.finding import FILE_NAME, discover, place_in_git
from pocket_protector.files.user_folder import (
    STATE_VARIABLE,
    append_private,
    create_private,
    make_private_folder,
    remove,
    state_folder,
)

__all__ = [
    "FILE_NAME",
    "STATE_VARIABLE",
    "Target",
    "append_private",
    "create_private",
    "discover",
    "make_private_folder",
    "place_in_git",
    "read",
    "read_start",
    "remove",
    "replacing",
    "state_folder",
]
