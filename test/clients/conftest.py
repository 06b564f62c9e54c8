"""What all tests of Python clients share: the running product, and the simulated vendors' own books."""

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from itertools import count

import pytest
import stripe

NUMBERS = count(5_550_001)


class Keybrake:
    """The product as an operator sees it. Without any HTTP library, so that it is the same in every environment."""

    url = os.environ["KEYBRAKE_URL"]
    api_key = os.environ["KEYBRAKE_API_KEY"]
    simulator = os.environ["STRIPE_SIMULATOR"]
    simulators = {name: os.environ[f"{name.upper()}_SIMULATOR"] for name in ("stripe", "twilio", "resend")}

    def ask(self, method, path, body=None, token=None):
        """One request to our own API; returns the parsed body, whatever the status is."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token or self.api_key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def issue(self, **policy):
        """A new key for Stripe, as its issue answered; $50 a day unless told."""
        issued = self.ask("POST", "/vault/keys", {"vendor": "stripe", "daily_usd_cap": 50, **policy})
        assert "vault_key" in issued, issued
        return issued

    def spent_cents(self, key):
        """What is gone from the key's daily cap, in cents."""
        shown = self.ask("GET", f"/vault/keys/{key['id']}")
        return round((shown["daily_usd_cap"] - shown["remaining_usd"]) * 100)

    def rows(self, key, count):
        """The rows of the key's calls, newest first, once there are as many; the audit log comes a moment later."""
        deadline = time.monotonic() + 10
        while True:
            page = self.ask("GET", f"/vault/audit?limit=100&key_id={key['id']}")
            rows = [row for row in page["data"] if row["type"] == "call" and row["state"] != "open"]
            if len(rows) >= count or time.monotonic() > deadline:
                assert len(rows) == count, rows
                return rows
            time.sleep(0.02)

    def charged_cents(self, ids=None):
        """What the simulated Stripe let through, by its own books; of some objects where ids are given."""
        entries = self.books("stripe")["entries"]
        return sum(entry["spent_amount"] for entry in entries if ids is None or entry["id"] in ids)

    def books(self, vendor):
        """What the simulated vendor charged, by its own reckoning."""
        return self.at_simulator(vendor, "/books")

    def charges_to(self, vendor, *recipients):
        """The entries of the simulated vendor's books that name one of the recipients."""
        named = set(recipients)
        return [
            entry
            for entry in self.books(vendor)["entries"]
            if named & set([entry["to"]] if isinstance(entry["to"], str) else entry["to"])
        ]

    def fault(self, vendor, **order):
        """What shall go wrong at the simulated vendor, with the next request that fits."""
        self.at_simulator(vendor, "/faults", {"times": 1, **order})

    def at_simulator(self, vendor, path, body=None, headers=None):
        """One request to the simulated vendor itself: JSON, or a form where the body is bytes already."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(self.simulators[vendor] + path, data=data, headers=headers or {})
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def has_counted(self, key, spent, held=0):
        """Whether these micro-dollars are gone from the key: at once in sum, and told apart a moment later."""
        deadline = time.monotonic() + 10
        while True:
            shown = self.ask("GET", f"/vault/keys/{key['id']}")
            told = micro_usd(shown["spent_usd"]), micro_usd(shown["reserved_usd"])
            assert sum(told) == spent + held, told
            if told == (spent, held) or time.monotonic() > deadline:
                assert told == (spent, held)
                return True
            time.sleep(0.02)


def micro_usd(usd):
    """Dollars as our API tells them, in millionths. Nothing is 0."""
    return round((usd or 0) * 1_000_000)


@pytest.fixture
def keybrake():
    return Keybrake()


@pytest.fixture
def new_number():
    """Makes telephone numbers that no other test writes to."""
    return lambda prefix="+1415": f"{prefix}{next(NUMBERS)}"


@pytest.fixture
def requests_during(monkeypatch):
    """Notes the requests of a client while a block runs, each attempt by itself, as (host, path)."""
    noted = []
    send = http.client.HTTPConnection.putrequest

    def noting(connection, method, url, *args, **kwargs):
        noted.append((connection.host, url))
        return send(connection, method, url, *args, **kwargs)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", noting)

    @contextmanager
    def during():
        requests = []
        before = len(noted)
        yield requests
        requests.extend(noted[before:])

    return during


@pytest.fixture
def use(keybrake, monkeypatch):
    """Points the global stripe module at the product with a key's secret. Retries are on: a denial must not need them off."""

    def point(token, base="/stripe", retries=2):
        monkeypatch.setattr(stripe, "api_key", token)
        monkeypatch.setattr(stripe, "api_base", keybrake.url + base)
        monkeypatch.setattr(stripe, "max_network_retries", retries)

    return point
