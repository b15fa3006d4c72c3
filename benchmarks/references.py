"""Fetching 50 references beside fetching one, with the real boto3, from a server that takes 100 ms for each answer.

Needs a Python with pprotect and its extra `aws`: `python benchmarks/references.py`. Ends with status 1 if 50 take more
than three times as long as one. The server is a stand-in that speaks just enough of AWS Secrets Manager's protocol.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from pocket_protector import Creds, KeyFile, Reference

DELAY_SECONDS = 0.1
MANY = 50
ROUNDS = 7
TARGET = 3.0
CREDS = Creds("bench", f"P{'ab' * 32}P")


class SlowSecretsManager(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(DELAY_SECONDS)
        body = json.dumps({"Name": asked["SecretId"], "SecretString": "a value"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


def make(path: Path, number: int) -> KeyFile:
    store = KeyFile.create(path).add_raw_key_custodian(CREDS).add_domain("dev", CREDS.name)
    for at in range(number):
        store = store.add_secret("dev", f"secret-{at}", Reference(f"aws-sm://eu-west-1/secret-{at}"))
    return store.write()


def seconds(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def library_seconds(store: KeyFile) -> float:
    start = time.perf_counter()
    assert set(store.decrypt_domain("dev", CREDS).values()) == {"a value"}
    return time.perf_counter() - start


def compared(what: str, one: list[float], many: list[float]) -> bool:
    ratio = statistics.median(many) / statistics.median(one)
    shown = " and ".join(f"{statistics.median(taken) * 1000:.0f} ms" for taken in (one, many))
    print(f"{what}: one and {MANY} take {shown}: ratio {ratio:.2f}, target {TARGET:.2f}")
    return ratio <= TARGET


def main() -> int:
    server = Server(("127.0.0.1", 0), SlowSecretsManager)
    Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PPROTECT_STATE_DIR": folder,
            "PPROTECT_USER": CREDS.name,
            "PPROTECT_PASSPHRASE": CREDS.passphrase,
        }
        paths = {number: Path(folder, f"{number}.yaml") for number in (1, MANY)}
        stores = {number: make(path, number) for number, path in paths.items()}
        command = (str(Path(sys.executable).with_name("pprotect")), "decrypt-domain", "dev", "-f")
        in_library: dict[int, list[float]] = {1: [], MANY: []}
        as_command: dict[int, list[float]] = {1: [], MANY: []}
        library_seconds(stores[1])
        for _ in range(ROUNDS):
            for number in (1, MANY):
                in_library[number].append(library_seconds(stores[number]))
                as_command[number].append(seconds(*command, str(paths[number])))
    met = [
        compared("decrypt_domain in the library, once the SDK is loaded", in_library[1], in_library[MANY]),
        compared("pprotect decrypt-domain, as a whole", as_command[1], as_command[MANY]),
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
