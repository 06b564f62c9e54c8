"""The program of a Modal user: a key for each invocation by httpx, then Stripe by `api_base`."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import httpx
import pytest
import stripe


@pytest.fixture
def post(keybrake):
    """POST /vault/keys as the seed's program does it, with httpx's own timeout of 5 seconds."""

    def send(**kwargs):
        return httpx.post(
            f"{keybrake.url}/vault/keys", headers={"Authorization": f"Bearer {keybrake.api_key}"}, **kwargs
        )

    return send


@pytest.fixture
def charge_customer(keybrake, post, monkeypatch):
    monkeypatch.setattr(stripe, "api_base", f"{keybrake.url}/stripe")

    def charge(customer_id, amount_cents):
        r = post(
            json={
                "vendor": "stripe",
                "daily_usd_cap": 50.0,
                "allowed_endpoints": ["POST /v1/payment_intents"],
                "expires_in": "5m",
                "agent_run_label": f"modal-billing/{customer_id}",
            }
        )
        return stripe.PaymentIntent.create(
            amount=amount_cents,
            currency="usd",
            customer=customer_id,
            idempotency_key=f"modal-{customer_id}-{amount_cents}",
            api_key=r.json()["vault_key"],
        )

    return charge


def test_a_map_over_customers_charges_each_once_also_when_it_is_run_again(keybrake, charge_customer):
    customers = [f"cus_map{index}" for index in range(20)]
    before = keybrake.charged_cents()

    def run():
        with ThreadPoolExecutor(10) as pool:
            return [intent.id for intent in pool.map(lambda customer: charge_customer(customer, 2999), customers)]

    first = run()

    assert len(set(first)) == 20
    assert run() == first
    assert keybrake.charged_cents() - before == 20 * 2999


def test_a_data_error_is_stopped_in_each_invocation_by_its_own_cap(keybrake, charge_customer):
    before = keybrake.charged_cents()

    with pytest.raises(stripe.RateLimitError, match=r"daily cap \$50\.00, .* this call needs \$2999\.00"):
        charge_customer("cus_error", 299_900)

    assert keybrake.charged_cents() == before
    page = keybrake.ask("GET", "/vault/audit?agent_run_label=modal-billing/cus_error")
    assert {row["label_group"] for row in page["data"]} <= {"modal-billing"}


def test_the_expiry_of_a_key_can_be_read_and_compared(post):
    issued = post(json={"vendor": "stripe", "daily_usd_cap": 50.0, "expires_in": "5m"}).json()

    expires_at = datetime.fromisoformat(issued["expires_at"])

    # What fromisoformat of Python 3.7 reads: an offset in digits and three or six places.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", issued["expires_at"])
    assert timedelta(minutes=4) < expires_at - datetime.now(timezone.utc) <= timedelta(minutes=5)
    assert issued["expires_in_s"] == 300


def test_a_bad_request_raises_for_status_with_the_field_in_its_body(post):
    response = post(json={"vendor": "stripe", "daily_cap_usd": 50.0})

    with pytest.raises(httpx.HTTPStatusError, match="400 Bad Request"):
        response.raise_for_status()
    assert response.json()["error"]["message"].startswith("daily_cap_usd: unknown field")


def test_a_form_instead_of_json_is_told_what_would_be_accepted(post):
    response = post(data={"vendor": "stripe", "daily_usd_cap": "50"})

    assert response.status_code == 415
    assert 'expected application/json with a body such as {"vendor": "stripe"' in response.json()["error"]["message"]


def test_stripe_may_be_called_by_httpx_itself_with_the_key_as_basic_user(keybrake):
    key = keybrake.issue()
    with httpx.Client(base_url=f"{keybrake.url}/stripe", auth=(key["vault_key"], "")) as client:
        paid = client.post("/v1/payment_intents", data={"amount": 100, "currency": "usd", "metadata[a b]": "c"})
        refused = client.post("/v1/payment_intents", data={"amount": 100_000, "currency": "usd"})

    assert (paid.status_code, paid.json()["metadata"]) == (200, {"a b": "c"})
    assert refused.status_code == 429
    assert refused.headers["stripe-should-retry"] == "false"


def test_a_client_that_gives_up_is_charged_once_and_finds_out_by_its_idempotency_key(keybrake):
    key = keybrake.issue(daily_usd_cap=1)
    fields = {"amount": 100, "currency": "usd", "metadata[keybrake_fault]": "slow", "metadata[keybrake_fault_ms]": "900"}
    headers = {"Authorization": f"Bearer {key['vault_key']}", "Idempotency-Key": f"late-{key['id']}"}
    url = f"{keybrake.url}/stripe/v1/payment_intents"

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, data=fields, headers=headers, timeout=0.3)

    keybrake.rows(key, 1)
    late = httpx.post(url, data=fields, headers=headers)
    assert late.status_code == 200
    assert late.headers["idempotent-replayed"] == "true"
    assert keybrake.spent_cents(key) == 100
