"""An app that reads its secrets from the environment, as `pprotect run` gives them."""

import os

for name in ("API_KEY", "DATABASE_URL"):
    print(f"{name}={os.environ.get(name, '(not set)')}")
