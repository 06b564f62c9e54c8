"""Every SDK with every key that it should not hold, under its vendor's path and at the root: its natural error, our words."""

import time
from importlib.metadata import version

import pytest
import resend
import stripe
from resend.exceptions import ResendError
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

VENDORS = ("stripe", "twilio", "resend")
STRIPE_ERROR = stripe.error.StripeError if hasattr(stripe, "error") else stripe.StripeError
OLD_RESEND = version("resend") == "2.0.0"
NEVER_CALLED = {
    "stripe": "GET /v1/customers",
    "twilio": "GET /2010-04-01/Accounts/*/Messages.json",
    "resend": "GET /emails/*",
}


@pytest.fixture(scope="module")
def tokens():
    """Keys by vendor and condition."""
    from conftest import Keybrake

    keybrake = Keybrake()
    made = {"a secret of a vendor": "sk_live_51HxkLmTopSecretOfSomebody", "an API key": keybrake.api_key}
    expiring = {vendor: keybrake.issue(vendor=vendor, expires_in="1s") for vendor in VENDORS}
    for vendor in VENDORS:
        issue = lambda **policy: keybrake.issue(vendor=vendor, **policy)
        made[f"good of {vendor}"] = issue()["vault_key"]
        made[f"narrow of {vendor}"] = issue(allowed_endpoints=[NEVER_CALLED[vendor]])["vault_key"]
        made[f"capped of {vendor}"] = issue(daily_usd_cap=0.0001)["vault_key"]
        revoked = issue()
        keybrake.ask("POST", f"/vault/keys/{revoked['id']}/revoke")
        made[f"revoked of {vendor}"] = revoked["vault_key"]
        made[f"expired of {vendor}"] = expiring[vendor]["vault_key"]
    deadline = time.monotonic() + 10
    while any(keybrake.ask("GET", f"/vault/keys/{key['id']}")["status"] == "active" for key in expiring.values()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return made


class Refusal:
    """What an SDK raised, in the same words for all: `kind` is its class, `code` where our code stands."""

    def __init__(self, error, status, code, message):
        self.error, self.kind, self.status, self.code, self.message = error, type(error).__name__, status, code, message


@pytest.fixture
def by_stripe(keybrake, monkeypatch):
    def refused(token, base, **fields):
        monkeypatch.setattr(stripe, "api_base", keybrake.url + base)
        monkeypatch.setattr(stripe, "max_network_retries", 0)
        with pytest.raises(STRIPE_ERROR) as raised:
            stripe.PaymentIntent.create(amount=2999, currency="usd", api_key=token, **fields)
        error = raised.value
        return Refusal(error, error.http_status, error.error.code, error.user_message)

    return refused


@pytest.fixture
def by_twilio(keybrake):
    def refused(token, base):
        client = Client("AC00000000000000000000000000000000", token)
        client.api.base_url = keybrake.url + base
        with pytest.raises(TwilioRestException) as raised:
            client.messages.create(to="+14155550100", from_="+14155550199", body="x")
        error = raised.value
        return Refusal(error, error.status, (error.details or {}).get("keybrake_code"), error.msg.split(": ", 1)[1])

    return refused


@pytest.fixture
def by_resend(keybrake, monkeypatch):
    def refused(token, base):
        monkeypatch.setattr(resend, "api_key", token)
        monkeypatch.setattr(resend, "api_url", keybrake.url + base)
        with pytest.raises(ResendError) as raised:
            resend.Emails.send({"from": "a@b.co", "to": "c@d.co", "subject": "x", "html": "x"})
        error = raised.value
        code = None if OLD_RESEND else error.headers.get("Keybrake-Code")
        return Refusal(error, int(error.code), code, str(error))

    return refused


@pytest.fixture
def refused_by(by_stripe, by_twilio, by_resend):
    by = {"stripe": by_stripe, "twilio": by_twilio, "resend": by_resend}
    return lambda vendor, token, base: by[vendor](token, base)


KINDS = {
    "stripe": {401: "AuthenticationError", 403: "PermissionError", 429: "RateLimitError"},
    "twilio": {401: "TwilioRestException", 403: "TwilioRestException", 429: "TwilioRestException"},
    "resend": {401: "ResendError", 403: "ResendError", 429: "ResendError" if OLD_RESEND else "RateLimitError"},
}


def wrong_for(vendor, at_root):
    """Token, status, code and the beginning of what is said."""
    yield "an API key", 401, "key_unknown", "this is not a vault key: it looks like "
    yield "a secret of a vendor", 401, "key_unknown", "this is not a vault key: it looks like a secret key of Stripe"
    for each in VENDORS:
        yield f"expired of {each}", 401, "key_expired", "vault key "
        yield f"revoked of {each}", 401, "key_revoked", "vault key "
        if each != vendor:
            for condition in ("good", "narrow", "capped"):
                yield f"{condition} of {each}", 403, f"endpoint_not_{'priced' if at_root else 'allowed'}", "vault key "
    yield f"narrow of {vendor}", 403, "endpoint_not_allowed", "vault key "
    yield f"capped of {vendor}", 429, "spend_cap_exceeded", "vault key "


CASES = [
    pytest.param(vendor, base, *wrong, id=f"{vendor} at {base or 'the root'} with {wrong[0]}")
    for vendor in VENDORS
    for base in (f"/{vendor}", "")
    for wrong in wrong_for(vendor, base == "")
]


@pytest.mark.parametrize(("vendor", "base", "token", "status", "code", "says"), CASES)
def test_a_key_that_is_wrong_is_a_natural_error_with_our_message(
    tokens, refused_by, vendor, base, token, status, code, says
):
    refusal = refused_by(vendor, tokens[token], base)

    assert (refusal.status, refusal.kind) == (status, KINDS[vendor][status])
    assert refusal.message.startswith(says)
    assert "nothing was charged" in refusal.message
    other = token.split(" of ")[-1]
    if status == 403 and other != vendor:
        assert f"is for {other}; this path belongs to {vendor}; use …/{other} as the base URL" in refusal.message
    if vendor == "stripe" and code == "key_expired":
        code = "api_key_expired"
    if not (vendor == "resend" and OLD_RESEND):
        assert refusal.code == code


def test_ours_and_stripes_429_are_told_apart_by_a_header(tokens, by_stripe):
    ours = by_stripe(tokens["capped of stripe"], "/stripe").error
    stripes = by_stripe(tokens["good of stripe"], "/stripe", metadata={"keybrake_fault": "429"}).error

    assert (ours.http_status, stripes.http_status) == (429, 429)
    assert ours.headers["Keybrake-Code"] == ours.error.code == "spend_cap_exceeded"
    assert "Keybrake-Code" not in stripes.headers
    # The SDK fills it for 400, 402 and 404 only, whatever the body says.
    assert (ours.code, stripes.code) == (None, None)


def test_ours_and_twilios_429_are_told_apart_by_details(keybrake, tokens, by_twilio):
    keybrake.fault("twilio", kind="429", method="POST", path="/Messages.json")
    ours = by_twilio(tokens["capped of twilio"], "/twilio")
    twilios = by_twilio(tokens["good of twilio"], "/twilio")

    assert (ours.status, twilios.status) == (429, 429)
    assert (ours.code, twilios.code) == ("spend_cap_exceeded", None)


def test_ours_and_resends_429_are_told_apart_by_a_header(keybrake, tokens, by_resend):
    keybrake.fault("resend", kind="429", method="POST", path="/emails")
    ours = by_resend(tokens["capped of resend"], "/resend")
    resends = by_resend(tokens["good of resend"], "/resend")

    assert (ours.status, resends.status) == (429, 429)
    assert ("vault key" in ours.message, "vault key" in resends.message) == (True, False)
    if not OLD_RESEND:
        assert (ours.code, resends.code) == ("spend_cap_exceeded", None)
