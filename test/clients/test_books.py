"""Three books that must agree: the simulated vendor's, the balance of the key, and the audit log."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import resend
from conftest import micro_usd
from resend.exceptions import ResendError
from test_resend import EACH, email_to
from test_twilio import FROM, SERVICE, SMS, TWIML, client_at
from twilio.base.exceptions import TwilioRestException

# Names every fault that a vendor's answer can suffer, and whether the vendor has executed the request by then.
FAULTS = {"429": False, "500_before": False, "500_after": True, "break_before": False, "break_after": True}


@pytest.fixture
def new_charges(keybrake):
    """The entries that a vendor's books got since the test began."""
    before = {vendor: {entry["id"] for entry in keybrake.books(vendor)["entries"]} for vendor in ("twilio", "resend")}
    return lambda vendor: [entry for entry in keybrake.books(vendor)["entries"] if entry["id"] not in before[vendor]]


def audited(rows):
    """What the rows tell of a key: spent and held, in micro-dollars."""
    spent = sum(micro_usd(row["cost_usd"]) for row in rows if row["state"] == "settled")
    held = sum(micro_usd(row["reserved_usd"]) for row in rows if row["state"] == "unresolved")
    return spent, held


def test_twilios_books_are_covered_row_by_row(keybrake, new_charges, new_number):
    key = keybrake.issue(vendor="twilio", daily_usd_cap=20)
    client = client_at(keybrake.url, key["vault_key"], "base_url")
    verifications = client.verify.v2.services(SERVICE).verifications
    # Each with the unit that it is counted by, and what one costs by default in micro-dollars.
    calls = [
        (lambda: client.messages.create(to=new_number(), from_=FROM, body="x" * 160), 1, SMS),
        (lambda: client.messages.create(to=new_number(), from_=FROM, body="x" * 161), 2, SMS),
        (lambda: client.messages.create(to=new_number(), from_=FROM, body="👍" * 36), 2, SMS),
        (lambda: client.messages.create(to="+447700900123", from_=FROM, body="€" * 81), 2, 600_000),
        (
            lambda: client.messages.create(to=new_number(), from_=FROM, media_url="https://example.com/a.png"),
            1,
            60_000,
        ),
        (lambda: client.calls.create(to=new_number(), from_=FROM, twiml=TWIML, time_limit=60), 1, 50_000),
        (lambda: verifications.create(to=new_number(), channel="sms"), 1, 70_000),
        (lambda: client.lookups.v1.phone_numbers(new_number()).fetch(type=["carrier", "caller-name"]), 2, 20_000),
    ]

    for call, _, _ in calls:
        call()

    charges = new_charges("twilio")
    rows = keybrake.rows(key, len(calls))
    assert sorted(charge["count"] for charge in charges) == sorted(units for _, units, _ in calls)
    assert [micro_usd(row["cost_usd"]) for row in rows[::-1]] == [units * each for _, units, each in calls]
    assert keybrake.has_counted(key, sum(units * each for _, units, each in calls))

    # A message or a call has its id in its row, and none costs more than was counted for it.
    cost_by_id = {row["vendor_object_id"]: micro_usd(row["cost_usd"]) for row in rows}
    made = [charge for charge in charges if charge["kind"] in ("message", "call")]
    assert len(made) == 6
    assert all(charge["cost_micro_usd"] <= cost_by_id[charge["id"]] for charge in made)
    assert sum(charge["cost_micro_usd"] for charge in charges) <= audited(rows)[0]


def test_resends_books_are_the_balance_and_the_rows_to_the_micro_dollar(keybrake, new_charges, monkeypatch):
    key = keybrake.issue(vendor="resend", daily_usd_cap=1)
    monkeypatch.setattr(resend, "api_url", f"{keybrake.url}/resend")
    monkeypatch.setattr(resend, "api_key", key["vault_key"])
    to = [f"books-{index}@example.com" for index in range(50)]

    resend.Emails.send(email_to(to))
    resend.Emails.send(email_to(to[:1], cc=to[1], bcc=to[2:7]))
    resend.Emails.send(email_to([to[0], to[0]]))
    resend.Batch.send([email_to(to[:size]) for size in range(1, 11)])

    charges, rows = new_charges("resend"), keybrake.rows(key, 4)
    assert [micro_usd(row["cost_usd"]) for row in rows[::-1]] == [50 * EACH, 7 * EACH, 2 * EACH, 55 * EACH]
    assert sum(charge["cost_micro_usd"] for charge in charges) == 114 * EACH
    assert keybrake.has_counted(key, 114 * EACH)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("vendor", ["twilio", "resend"])
def test_whatever_goes_wrong_in_many_threads_nothing_is_charged_that_is_not_counted(
    keybrake, new_charges, new_number, monkeypatch, vendor, seed
):
    chance = random.Random(f"{vendor} {seed}")
    each, refusal = {"twilio": (SMS, TwilioRestException), "resend": (EACH, ResendError)}[vendor]
    cap = 25 * each
    key = keybrake.issue(vendor=vendor, daily_usd_cap=cap / 1_000_000)
    monkeypatch.setattr(resend, "api_url", f"{keybrake.url}/resend")
    monkeypatch.setattr(resend, "api_key", key["vault_key"])
    client = client_at(keybrake.url, key["vault_key"], "ProxyClient")

    def send(units):
        try:
            if vendor == "twilio":
                return client.messages.create(to=new_number(), from_=FROM, body="x" * 153 * units).sid
            to = [f"seed-{index}@example.com" for index in range(units)]
            return resend.Emails.send(email_to(to[:1], bcc=to[1:]))["id"]
        except refusal:
            return None

    ordered = chance.choices(list(FAULTS), k=8)
    for kind in ordered:
        keybrake.fault(vendor, kind=kind, method="POST", path="essages.json" if vendor == "twilio" else "/emails")
    with ThreadPoolExecutor(8) as executor:
        answered = {sent for sent in executor.map(send, [chance.randint(1, 3) for _ in range(40)]) if sent}

    charges, rows = new_charges(vendor), keybrake.rows(key, 40)
    spent, held = audited(rows)
    settled = {row["vendor_object_id"]: row for row in rows if row["state"] == "settled"}
    assert keybrake.has_counted(key, spent, held)
    assert spent + held <= cap
    # What the client was told of is settled; beyond it the vendor has made what it never answered for, and that is held.
    assert set(settled) == answered
    told = {charge["id"]: charge["count"] * each for charge in charges if charge["id"] in settled}
    assert told == {sent: micro_usd(row["cost_usd"]) for sent, row in settled.items()}
    silent = [charge for charge in charges if charge["id"] not in settled]
    unresolved = [micro_usd(row["reserved_usd"]) for row in rows if row["state"] == "unresolved"]
    assert len(silent) == sum(FAULTS[kind] for kind in ordered)
    assert len(unresolved) == sum(kind != "429" for kind in ordered)
    assert sum(charge["count"] * each for charge in silent) <= sum(unresolved)
    assert sum(charge["cost_micro_usd"] for charge in charges) <= spent + held
