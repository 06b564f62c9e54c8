"""What all tests of Python clients share: the running product, and the simulated Stripe's own books."""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import stripe


class Keybrake:
    """The product as an operator sees it. Without any HTTP library, so that it is the same in every environment."""

    url = os.environ["KEYBRAKE_URL"]
    api_key = os.environ["KEYBRAKE_API_KEY"]
    simulator = os.environ["STRIPE_SIMULATOR"]

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
        with urllib.request.urlopen(f"{self.simulator}/books", timeout=20) as response:
            entries = json.load(response)["entries"]
        return sum(entry["spent_amount"] for entry in entries if ids is None or entry["id"] in ids)


@pytest.fixture
def keybrake():
    return Keybrake()


@pytest.fixture
def use(keybrake, monkeypatch):
    """Points the global stripe module at the product with a key's secret. Retries are on: a denial must not need them off."""

    def point(token, base="/stripe", retries=2):
        monkeypatch.setattr(stripe, "api_key", token)
        monkeypatch.setattr(stripe, "api_base", keybrake.url + base)
        monkeypatch.setattr(stripe, "max_network_retries", retries)

    return point
