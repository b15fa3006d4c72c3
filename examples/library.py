"""An app that opens its key domain itself: PPROTECT_USER and PPROTECT_PASSPHRASE say who it is."""

import sys
from pathlib import Path

from pocket_protector import Creds, KeyFile, PPError

try:
    secrets = KeyFile.from_file(Path(__file__).with_name("protected.yaml")).decrypt_domain("dev", Creds.from_env())
except PPError as error:
    sys.exit(f"error: {error}\nhint: {error.hint}")
print(f"{len(secrets)} secrets: {', '.join(secrets)}")
