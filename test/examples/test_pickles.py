"""Why the Modal example returns a dict and raises plain exceptions: what pickles of Stripe's and httpx's objects hold."""

import pickle
from importlib.metadata import version

import httpx
import pytest
import stripe

BEFORE_16_1 = tuple(map(int, version("stripe").split(".")[:2])) < (16, 1)


@pytest.fixture
def secret(keybrake, monkeypatch):
    """A vault key that the global stripe module uses."""
    secret = keybrake.issue()["vault_key"]
    monkeypatch.setattr(stripe, "api_key", secret)
    monkeypatch.setattr(stripe, "api_base", f"{keybrake.url}/stripe")
    return secret


def raised(kind, **fields):
    with pytest.raises(kind) as caught:
        stripe.PaymentIntent.create(currency="usd", **fields)
    return caught.value


def declined():
    return raised(stripe.CardError, amount=2999, confirm=True, payment_method="pm_card_chargeDeclined")


def test_the_pickle_of_a_payment_intent_holds_the_vault_key(secret):
    intent = stripe.PaymentIntent.create(amount=2999, currency="usd")

    assert secret.encode() in pickle.dumps(intent)
    assert pickle.loads(pickle.dumps(intent)).id == intent.id


def test_a_card_error_does_not_unpickle_before_stripe_16_1(secret):
    stored = pickle.dumps(declined())

    if BEFORE_16_1:
        with pytest.raises(TypeError, match="missing 2 required positional arguments: 'param' and 'code'"):
            pickle.loads(stored)
    else:
        assert pickle.loads(stored).code == "card_declined"


def test_the_pickle_of_any_error_of_stripe_holds_the_vault_key(secret):
    assert secret.encode() in pickle.dumps(declined())
    assert secret.encode() in pickle.dumps(raised(stripe.RateLimitError, amount=299_900))


def test_httpxs_status_error_does_not_unpickle_and_holds_the_api_key(keybrake):
    bearer = f"Bearer {keybrake.api_key}"
    response = httpx.post(f"{keybrake.url}/vault/keys", headers={"Authorization": bearer}, json={})
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()

    stored = pickle.dumps(caught.value)

    assert bearer.encode() in stored
    with pytest.raises(TypeError, match="'request' and 'response'"):
        pickle.loads(stored)


def test_the_text_of_an_error_says_what_happened_and_holds_no_key(secret):
    for error in (declined(), raised(stripe.RateLimitError, amount=299_900)):
        plain = RuntimeError(f"{type(error).__name__}: {error}")
        stored = pickle.dumps(plain)

        assert str(pickle.loads(stored)) == str(plain)
        assert secret.encode() not in stored
