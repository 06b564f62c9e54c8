"""The newest stripe-python by `StripeClient(base_addresses=…)`, which has no global state, also asynchronously."""

import asyncio

import pytest
import stripe

WANTED = {"amount": 2999, "currency": "usd"}


@pytest.fixture
def client(keybrake):
    def make(token):
        return stripe.StripeClient(
            token, base_addresses={"api": f"{keybrake.url}/stripe"}, max_network_retries=2
        )

    return make


def test_each_client_has_its_own_key_and_its_own_cap(keybrake, client):
    poor, rich = keybrake.issue(daily_usd_cap=10), keybrake.issue(daily_usd_cap=30)

    with pytest.raises(stripe.RateLimitError, match=poor["id"]):
        client(poor["vault_key"]).v1.payment_intents.create(WANTED)

    intent = client(rich["vault_key"]).v1.payment_intents.create(WANTED)
    assert client(rich["vault_key"]).v1.payment_intents.retrieve(intent.id).amount == 2999
    keybrake.rows(poor, 1)


@pytest.mark.parametrize(
    ("policy", "call", "kind", "words"),
    [
        ({"daily_usd_cap": 1}, {}, stripe.RateLimitError, "spend cap exceeded"),
        ({"allowed_endpoints": ["GET /v1/customers"]}, {}, stripe.PermissionError, "does not allow POST"),
        ({}, {"amount": "+5"}, stripe.InvalidRequestError, "amount: got"),
        ({}, {"currency": "jpy"}, stripe.InvalidRequestError, "currency: got"),
    ],
)
def test_a_denial_raises_stripes_own_class_after_one_request(keybrake, client, policy, call, kind, words):
    key = keybrake.issue(**policy)

    with pytest.raises(kind, match=words) as raised:
        client(key["vault_key"]).v1.payment_intents.create({**WANTED, **call})

    assert "nothing was charged" in str(raised.value)
    assert raised.value.request_id
    keybrake.rows(key, 1)


def test_a_wrong_key_is_an_authentication_error(client):
    with pytest.raises(stripe.AuthenticationError, match="cut short"):
        client("vk_short").v1.payment_intents.create(WANTED)


def test_another_account_is_a_permission_error(keybrake, client):
    key = keybrake.issue()
    for options in ({"stripe_account": "acct_1"}, {"stripe_context": "acct_1"}):
        with pytest.raises(stripe.PermissionError, match="acts on another account"):
            client(key["vault_key"]).v1.payment_intents.create(WANTED, options)


def test_calls_at_once_by_async_never_pass_the_cap(keybrake, client):
    key = keybrake.issue(daily_usd_cap=10)
    payments = client(key["vault_key"]).v1.payment_intents

    async def run():
        calls = [payments.create_async({"amount": 100, "currency": "usd"}) for _ in range(30)]
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(run())

    assert sum(isinstance(outcome, stripe.PaymentIntent) for outcome in outcomes) == 10
    assert sum(isinstance(outcome, stripe.RateLimitError) for outcome in outcomes) == 20
    assert keybrake.spent_cents(key) == 1000
