"""stripe-python by `stripe.api_base`, oldest and newest: its natural exceptions, once each, and money that adds up."""

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest
import stripe

WANTED = {"amount": 2999, "currency": "usd"}
SECRET = "sk_live_51HxkLmTopSecretOfSomebody"


def refused(call, kind):
    """What the call raised, which is exactly this class of Stripe's."""
    with pytest.raises(stripe.error.StripeError if hasattr(stripe, "error") else stripe.StripeError) as raised:
        call()
    assert type(raised.value).__name__ == kind, repr(raised.value)
    return raised.value


def test_the_version_is_the_one_of_the_requirements():
    assert version("stripe") in ("5.0.0", "15.3.1")


def test_objects_pass_as_they_are_with_stripes_request_id(keybrake, use):
    key = keybrake.issue()
    use(key["vault_key"])

    intent = stripe.PaymentIntent.create(
        **WANTED, description="100 % & more = ünïcode +1", metadata={"a b": "[x]=1&y"}, payment_method_types=["card"]
    )

    assert (intent.amount, intent.description) == (2999, "100 % & more = ünïcode +1")
    assert intent.metadata["a b"] == "[x]=1&y"
    assert intent.last_response.request_id.startswith("req_")
    assert intent.last_response.headers["Keybrake-Remaining-Usd"] == "20.01"
    [row] = keybrake.rows(key, 1)
    assert (row["state"], row["vendor_object_id"]) == ("settled", intent.id)
    assert row["vendor_request_id"] == intent.last_response.request_id


@pytest.mark.parametrize("base", ["/stripe", ""])
def test_the_api_base_may_have_the_vendors_path_or_not(keybrake, use, base):
    use(keybrake.issue()["vault_key"], base)

    assert stripe.PaymentIntent.create(**WANTED).amount == 2999


def test_a_slash_behind_the_api_base_is_told_in_the_error(keybrake, use):
    use(keybrake.issue()["vault_key"], "/stripe/")

    error = refused(lambda: stripe.PaymentIntent.create(**WANTED), "InvalidRequestError")

    assert "no slash at the end of the SDK's base address" in str(error)


def test_lists_are_walked_and_objects_changed_and_deleted(keybrake, use):
    use(keybrake.issue()["vault_key"])
    customer = stripe.Customer.create(name="a customer")
    for amount in (101, 102, 103):
        stripe.PaymentIntent.create(amount=amount, currency="usd", customer=customer.id)

    found = stripe.PaymentIntent.list(customer=customer.id, limit=2).auto_paging_iter()

    assert [intent.amount for intent in found] == [103, 102, 101]
    assert stripe.Customer.modify(customer.id, metadata={"seen": "yes"}).metadata["seen"] == "yes"
    assert stripe.Customer.delete(customer.id).deleted


def test_an_exceeded_cap_is_a_rate_limit_error_whose_text_says_everything_after_one_request(keybrake, use):
    key = keybrake.issue()
    use(key["vault_key"])
    stripe.PaymentIntent.create(**WANTED)

    error = refused(lambda: stripe.PaymentIntent.create(**WANTED), "RateLimitError")

    assert error.http_status == 429
    assert error.error.code == "spend_cap_exceeded"
    for part in (
        key["id"],
        "daily cap $50.00",
        "remaining $20.01",
        "this call needs $29.99",
        "not retryable until the cap is raised",
        "nothing was charged",
    ):
        assert part in str(error)
    assert error.json_body["error"]["remaining_usd"] == 20.01
    assert "Retry-After" not in error.headers
    assert [row["reason"] for row in keybrake.rows(key, 2)] == ["spend_cap_exceeded", None]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (SECRET, "a secret key of Stripe"),
        ("vk_short", "a vault key that is mistyped or cut short"),
        ("admin-key-of-the-tests", "an unknown kind of key"),
    ],
)
def test_a_wrong_key_is_an_authentication_error_that_says_its_kind_and_shows_none_of_it(use, token, kind):
    use(token)

    error = refused(lambda: stripe.PaymentIntent.create(**WANTED), "AuthenticationError")

    assert error.http_status == 401
    assert kind in str(error)
    assert token not in str(error) + str(error.json_body) + str(error.headers)


def test_a_revoked_key_is_an_authentication_error_once(keybrake, use):
    key = keybrake.issue()
    use(key["vault_key"])
    keybrake.ask("POST", f"/vault/keys/{key['id']}/revoke")

    error = refused(lambda: stripe.PaymentIntent.create(**WANTED), "AuthenticationError")

    assert f"vault key {key['id']} was revoked at 20" in str(error)
    assert [row["reason"] for row in keybrake.rows(key, 1)] == ["key_revoked"]


def test_what_a_key_may_not_do_is_a_permission_error_once(keybrake, use):
    narrow = keybrake.issue(allowed_endpoints=["POST /v1/payment_intents"])
    use(narrow["vault_key"])
    error = refused(lambda: stripe.Customer.create(name="x"), "PermissionError")
    assert "does not allow POST /v1/customers; it allows POST /v1/payment_intents" in str(error)
    keybrake.rows(narrow, 1)

    wide = keybrake.issue()
    use(wide["vault_key"])
    error = refused(lambda: stripe.Subscription.create(customer="cus_1"), "PermissionError")
    assert error.error.code == "endpoint_not_priced"
    error = refused(lambda: stripe.PaymentIntent.create(**WANTED, stripe_account="acct_1"), "PermissionError")
    assert error.error.code == "account_not_allowed"
    keybrake.rows(wide, 2)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": "1e3", "currency": "usd"}, "amount"),
        ({"amount": 29.99, "currency": "usd"}, "amount"),
        ({"amount": -1, "currency": "usd"}, "amount"),
        ({"currency": "usd"}, "amount"),
        ({"amount": 100, "currency": "eur"}, "currency"),
        ({"amount": 100}, "currency"),
    ],
)
def test_what_cannot_be_counted_is_an_invalid_request_error_that_names_the_field(keybrake, use, fields, field):
    key = keybrake.issue()
    use(key["vault_key"])

    error = refused(lambda: stripe.PaymentIntent.create(**fields), "InvalidRequestError")

    assert error.http_status == 400
    assert f"{field}: " in str(error)
    assert "nothing was charged" in str(error)
    keybrake.rows(key, 1)


def test_which_exceptions_survive_pickling(keybrake, use):
    wide, narrow = keybrake.issue(), keybrake.issue(allowed_endpoints=["GET /v1/customers"])
    outcomes = {}
    for token, fields, kind in (
        ("vk_short", WANTED, "AuthenticationError"),
        (narrow["vault_key"], WANTED, "PermissionError"),
        (wide["vault_key"], {**WANTED, "amount": 500_000}, "RateLimitError"),
        (wide["vault_key"], {"currency": "usd"}, "InvalidRequestError"),
        (wide["vault_key"], {**WANTED, "confirm": "true", "payment_method": "pm_card_chargeDeclined"}, "CardError"),
    ):
        use(token)
        error = refused(lambda: stripe.PaymentIntent.create(**fields), kind)
        try:
            again = pickle.loads(pickle.dumps(error))
            outcomes[kind] = (str(again), again.http_status) == (str(error), error.http_status)
        except TypeError:
            outcomes[kind] = False

    assert outcomes == {
        "AuthenticationError": True,
        "PermissionError": True,
        "RateLimitError": True,
        "InvalidRequestError": False,
        "CardError": False,
    }


def test_a_decline_is_a_card_error_and_gives_the_budget_back(keybrake, use):
    key = keybrake.issue()
    use(key["vault_key"])

    error = refused(
        lambda: stripe.PaymentIntent.create(**WANTED, confirm="true", payment_method="pm_card_chargeDeclined"), "CardError"
    )

    assert (error.http_status, error.code) == (402, "card_declined")
    assert "Your card was declined." in str(error)
    keybrake.rows(key, 1)
    assert keybrake.spent_cents(key) == 0


def test_an_idempotency_key_gives_the_first_answer_again_and_needs_no_budget(keybrake, use):
    key = keybrake.issue(daily_usd_cap=29.99)
    use(key["vault_key"])
    name = f"again-{key['id']}"

    first = stripe.PaymentIntent.create(**WANTED, idempotency_key=name)
    again = stripe.PaymentIntent.create(**WANTED, idempotency_key=name)

    assert again.id == first.id
    assert keybrake.spent_cents(key) == 2999
    assert keybrake.charged_cents([first.id]) == 2999


def test_an_idempotency_key_with_other_parameters_is_an_idempotency_error(keybrake, use):
    key = keybrake.issue()
    use(key["vault_key"])
    name = f"mismatch-{key['id']}"
    stripe.PaymentIntent.create(**WANTED, idempotency_key=name)

    refused(lambda: stripe.PaymentIntent.create(amount=1, currency="usd", idempotency_key=name), "IdempotencyError")

    assert keybrake.spent_cents(key) == 2999


def test_a_connection_that_broke_is_repeated_by_the_sdk_itself_and_charged_once(keybrake, use):
    key = keybrake.issue(daily_usd_cap=29.99)
    use(key["vault_key"])
    before = keybrake.charged_cents()

    intent = stripe.PaymentIntent.create(**WANTED, metadata={"keybrake_fault": "break_after"})

    assert intent.amount == 2999
    assert keybrake.charged_cents() - before == 2999
    assert keybrake.spent_cents(key) == 2999
    assert len({row["call_id"] for row in keybrake.rows(key, 2)}) == 1


def test_a_connection_that_broke_is_an_api_error_that_says_what_is_not_known(keybrake, use):
    key = keybrake.issue()
    use(key["vault_key"], retries=0)

    error = refused(
        lambda: stripe.PaymentIntent.create(**WANTED, metadata={"keybrake_fault": "break_after"}), "APIError"
    )

    assert error.http_status == 502
    assert "whether it was charged is not known, and its budget stays held" in str(error)
    assert keybrake.spent_cents(key) == 2999


def test_stripes_own_failure_and_rate_limit_pass_as_they_are(keybrake, use):
    key = keybrake.issue()
    use(key["vault_key"], retries=0)

    error = refused(lambda: stripe.PaymentIntent.create(**WANTED, metadata={"keybrake_fault": "429"}), "RateLimitError")
    assert "vault key" not in str(error)
    assert keybrake.spent_cents(key) == 0
    error = refused(lambda: stripe.PaymentIntent.create(**WANTED, metadata={"keybrake_fault": "500_after"}), "APIError")
    assert error.http_status == 500
    assert keybrake.spent_cents(key) == 2999


def outcome_of(arguments):
    """Pays one dollar; the id of what was paid, or the name of the exception. At the top, for other processes too."""
    url, token, index = arguments
    stripe.api_base = url + "/stripe"
    try:
        intent = stripe.PaymentIntent.create(
            amount=100, currency="usd", api_key=token, idempotency_key=f"{token[3:19]}-{index}"
        )
        return intent.id
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("pool", ["threads", "processes"])
def test_a_key_that_many_share_pays_up_to_its_cap_and_a_run_that_is_repeated_pays_nothing_new(keybrake, use, pool):
    key = keybrake.issue(daily_usd_cap=10)
    use(key["vault_key"])
    work = [(keybrake.url, key["vault_key"], index) for index in range(32)]
    before = keybrake.charged_cents()

    def run():
        if pool == "threads":
            with ThreadPoolExecutor(16) as executor:
                return list(executor.map(outcome_of, work))
        with multiprocessing.get_context("spawn").Pool(4) as processes:
            return processes.map(outcome_of, work)

    first = run()
    again = run()

    assert first.count("RateLimitError") == 22
    paid = [index for index, outcome in enumerate(first) if outcome.startswith("pi_")]
    assert len(paid) == 10
    assert again == first
    assert keybrake.charged_cents() - before == 1000
    assert keybrake.spent_cents(key) == 1000
    assert len(keybrake.rows(key, 64)) == 64
