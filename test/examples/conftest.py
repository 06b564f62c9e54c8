"""What all tests of the examples share: the running product, programs as processes, a gate that meddles with calls."""

import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"

# The same product, seen as the tests of the clients see it.
spec = importlib.util.spec_from_file_location("conftest_of_clients", HERE.parent / "clients" / "conftest.py")
clients = importlib.util.module_from_spec(spec)
spec.loader.exec_module(clients)
keybrake = clients.keybrake


def eventually(check):
    """Repeats `check` until it does not fail and returns what it returns; fails as it does after ten seconds."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


class Customers(list):
    """Customers of one test only, so that the books can be asked about them alone."""

    def charges(self):
        """What the simulated Stripe let through, by its own books: of each customer a list of its charges in cents."""
        with urllib.request.urlopen(f"{os.environ['STRIPE_SIMULATOR']}/books", timeout=20) as response:
            entries = json.load(response)["entries"]
        return {
            customer: [
                entry["spent_amount"]
                for entry in entries
                if customer in (entry["idempotency_key"] or "") and entry["spent_amount"] > 0
            ]
            for customer in self
        }

    def charged(self):
        """How many were charged; each once and $29.99, or the test fails."""
        charged = [amounts for amounts in self.charges().values() if amounts]
        assert all(amounts == [2999] for amounts in charged), charged
        return len(charged)


@pytest.fixture
def customers():
    """Makes customers that no other test has. No name is the beginning of another."""
    name = uuid.uuid4().hex[:12]
    return lambda count: Customers(f"cus_{name}x{index:02}" for index in range(count))


class Ended:
    """A program that ended: its exit code, and all that it printed."""

    def __init__(self, status, output):
        self.status = status
        self.output = output


class Programs:
    """Runs programs of Python with nothing of this machine's environment, and no way out of it by HTTP."""

    def __init__(self, folder, url, api_key):
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "KEYBRAKE_URL": url,
            "KEYBRAKE_API_KEY": api_key,
            # Port 9 is closed: whatever would leave the machine by HTTP is refused there.
            "HTTP_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            "METAFLOW_USER": "examples",
            "METAFLOW_HOME": str(folder),
            "METAFLOW_DEFAULT_DATASTORE": "local",
            "METAFLOW_DEFAULT_METADATA": "local",
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder),
            "MODAL_CONFIG_PATH": str(folder / "no-modal.toml"),
        }
        self.pid = None

    def run(self, program, *arguments, **environment):
        """Runs a program to its end. It leads a process group, so that `kill` ends its children with it."""
        process = subprocess.Popen(
            [sys.executable, str(program), *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = process.pid
        output, _ = process.communicate(timeout=180)
        return Ended(process.returncode, output)

    def kill(self):
        os.killpg(self.pid, signal.SIGKILL)


@pytest.fixture
def programs(tmp_path, keybrake):
    return Programs(tmp_path, keybrake.url, keybrake.api_key)


class Gate:
    """Stands between a program and the product, under a stage as a deployed REST API is. Lets through a charge at a time.

    `before[n]` is called before the n-th charge is passed on, `after[n]` once it was answered. Of those in `lost` the
    program gets no answer.
    """

    def __init__(self, upstream):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.charges = 0
        self.before, self.after, self.lost = {}, {}, set()
        self.paths = set()
        self.one_at_a_time = threading.Lock()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                gate.pass_on(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/prod"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"] or 0))
        self.paths.add(request.path)
        assert request.path.startswith("/prod/"), request.path
        if not request.path.endswith("/v1/payment_intents"):
            return self.answer(request, *self.ask(request, body))
        with self.one_at_a_time:
            self.charges += 1
            number = self.charges
            self.before.get(number, lambda: None)()
            answered = self.ask(request, body)
            self.after.get(number, lambda: None)()
        if number in self.lost:
            request.close_connection = True
            return None
        return self.answer(request, *answered)

    def ask(self, request, body):
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        connection.request("POST", request.path.removeprefix("/prod"), body, headers)
        response = connection.getresponse()
        answered = response.status, response.getheaders(), response.read()
        connection.close()
        return answered

    def answer(self, request, status, headers, body):
        try:
            request.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    request.send_header(name, value)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        except OSError:  # its program was killed
            pass


@pytest.fixture
def gate(keybrake, programs):
    """The programs of this test reach the product through the gate."""
    gate = Gate(keybrake.url)
    programs.environment["KEYBRAKE_URL"] = gate.url
    yield gate
    gate.server.shutdown()
    gate.server.server_close()


@pytest.fixture
def rows(keybrake):
    """The rows of calls under a label, or under its beginning with a `*`; waits for as many as are wanted."""

    def wait_for(label, count):
        def check():
            query = urllib.parse.urlencode({"agent_run_label": label, "limit": 100})
            page = keybrake.ask("GET", f"/vault/audit?{query}")
            found = [row for row in page["data"] if row["type"] == "call" and row["state"] != "open"]
            assert len(found) == count, found
            return found

        return eventually(check)

    return wait_for
