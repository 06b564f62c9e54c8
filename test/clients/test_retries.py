"""How long `requests` and httpx sleep on every refusal, repeating as they are usually told to. Nobody really sleeps."""

import json
import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import requests
from httpx_retries import Retry as HttpxRetry
from httpx_retries import RetryTransport
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

# The refusals that say how long to wait, in seconds; docs/decisions/0028-retry-after.md has the bound.
WAITS = {"window-ends-in-ten-minutes": 600, "minute-ends-in-a-minute": 60}

with open(os.environ["KEYBRAKE_DENIALS"]) as file:
    DENIALS = {denial["name"]: denial for denial in json.load(file)}

REPEATED = (429, 500, 502, 503, 504)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        denial = DENIALS[self.path[1:]]
        body = denial["body"].encode()
        self.send_response(denial["status"])
        for name, value in {**denial["headers"], "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def slept(monkeypatch):
    """What was asked to be slept, in seconds."""
    asked = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


@contextmanager
def by_requests():
    retry = Retry(total=3, status_forcelist=REPEATED, allowed_methods=None, respect_retry_after_header=True)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))


        def post(url):
            try:
                return session.post(url, json={}).status_code
            except requests.exceptions.RetryError:
                return "too many refusals"

        yield post


@contextmanager
def by_httpx():
    retry = HttpxRetry(total=3, allowed_methods=["POST"], status_forcelist=REPEATED, max_backoff_wait=1e9)
    with httpx.Client(transport=RetryTransport(retry=retry)) as client:
        yield lambda url: client.post(url, json={}).status_code


@pytest.mark.parametrize("client", [by_requests, by_httpx])
def test_no_refusal_is_slept_on_beyond_the_bound_and_most_not_at_all(origin, slept, client):
    assert len(DENIALS) > 100
    with client() as post:
        for name, denial in DENIALS.items():
            slept.clear()
            outcome = post(f"{origin}/{name}")

            assert outcome in (denial["status"], "too many refusals"), name
            # Here the same refusal comes again and again, which the product's does not: the window has ended by then.
            wait = next((seconds for begins, seconds in WAITS.items() if name.startswith(begins)), None)
            assert (slept == [wait] * 3) if wait else sum(slept) == 0, name
