"""Runs where Pocket Protector is installed: takes steps on a file, and prints what each returned.

The file's path is the argument, `[[method, argument, …], …]` in JSON stands on stdin. Arguments that are objects are
credentials. A method that returns a key file gives the one for the next step; anything else is printed.
"""

import json
import os
import sys

from pocket_protector.file_keys import Creds, KeyFile


def given(argument):
    return Creds(argument["name"], argument["passphrase"]) if isinstance(argument, dict) else argument


def main():
    path = sys.argv[1]
    file = KeyFile.from_file(path) if os.path.exists(path) else KeyFile(path=path)
    printed = []
    for method, *arguments in json.loads(sys.stdin.read()):
        result = getattr(file, method)(*map(given, arguments))
        if isinstance(result, KeyFile):
            file = result
        else:
            printed.append(result)
    file.write()
    json.dump(printed, sys.stdout)


main()
