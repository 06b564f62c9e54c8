"""examples/modal_billing.py: its programs as processes, and its functions by `.local()`."""

import pickle
import re
import sys
import threading
from datetime import datetime, timedelta, timezone

import pytest
import stripe
from conftest import EXAMPLES, eventually
from modal._partial_function import _find_callables_for_obj, _PartialFunctionFlags
from modal._runtime import execution_context
from modal._serialization import deserialize, pickle_exception

MODAL = EXAMPLES / "modal_billing.py"
DAY = "2026-11-22"


def charged_lines(output):
    return re.findall(r"^charged  (\S+) (pi_\S+) \$29\.99$", output, re.MULTILINE)


@pytest.fixture
def modal_billing(keybrake, monkeypatch):
    """The example as a module, for its functions by `.local()` in this process."""
    monkeypatch.setenv("KEYBRAKE_URL", keybrake.url)
    monkeypatch.setenv("KEYBRAKE_API_KEY", keybrake.api_key)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "modal_billing", raising=False)
    monkeypatch.setattr(stripe, "api_key", None)
    monkeypatch.setattr(stripe, "api_base", stripe.api_base)
    import modal_billing

    return modal_billing


@pytest.fixture
def in_container():
    """Runs what it is given as Modal's container runs an input: with the ids of the input in its context."""

    def run(input_id, call):
        reset = execution_context._set_current_context_ids([input_id], [f"fc-{input_id}"], [f"at-{input_id}"])
        try:
            return call()
        finally:
            reset()

    return run


# --- One key for each invocation --------------------------------------------------------------------------------------


def test_each_invocation_pays_with_a_key_of_its_own(programs, customers, rows):
    customers = customers(6)

    ended = programs.run(MODAL, "main", CUSTOMERS=",".join(customers))

    assert ended.status == 0, ended.output
    assert [customer for customer, _ in charged_lines(ended.output)] == customers
    assert customers.charged() == 6
    keys = set()
    for customer in customers:
        [row] = rows(f"modal-billing/{customer}", 1)
        assert (row["state"], row["cost_usd"], row["remaining_usd"]) == ("settled", 29.99, 20.01)
        assert (row["label_group"], row["vendor_customer_id"]) == ("modal-billing", customer)
        assert (row["metadata"], row["call_label"]) == ({"modal_input_id": "no-input"}, "no-input")
        keys.add(row["key_id"])
    assert len(keys) == 6


def test_a_batch_that_runs_again_on_its_day_charges_nobody_twice_and_the_next_day_charges_again(programs, customers):
    customers = customers(3)

    first = programs.run(MODAL, "main", "--day", DAY, CUSTOMERS=",".join(customers))
    again = programs.run(MODAL, "main", "--day", DAY, CUSTOMERS=",".join(customers))

    assert charged_lines(again.output) == charged_lines(first.output)
    assert customers.charged() == 3
    programs.run(MODAL, "main", "--day", "2026-11-23", CUSTOMERS=",".join(customers))
    assert list(customers.charges().values()) == [[2999, 2999]] * 3


def test_wrong_amounts_are_stopped_in_each_invocation_and_told_for_each_customer(programs, customers, rows):
    customers = customers(4)

    ended = programs.run(MODAL, "main", "--amount-cents", "299900", CUSTOMERS=",".join(customers))

    assert ended.status == 1
    for customer in customers:
        told = rf"failed   {customer}: RateLimitError: .*vault key key_\w+ spend cap exceeded: daily cap \$50\.00, .*"
        assert re.search(told + r"this call needs \$2999\.00; .*nothing was charged", ended.output), ended.output
        [row] = rows(f"modal-billing/{customer}", 1)
        assert (row["decision"], row["reason"]) == ("denied", "spend_cap_exceeded")
    assert "4 of 4 customers were not charged" in ended.output
    assert customers.charged() == 0


def test_one_refusal_does_not_take_the_results_of_the_others(programs, customers):
    customers = customers(3)

    ended = programs.run(MODAL, "main", CUSTOMERS=",".join([customers[0], "nobody", *customers[1:]]))

    assert ended.status == 1
    assert [customer for customer, _ in charged_lines(ended.output)] == customers
    assert re.search(r"failed   nobody: InvalidRequestError: .*No such customer: 'nobody'", ended.output), ended.output
    assert "1 of 4 customers were not charged" in ended.output


def test_a_key_that_is_not_issued_is_told_with_its_reason(programs, customers):
    customers = customers(1)

    ended = programs.run(MODAL, "main", CUSTOMERS=customers[0], KEYBRAKE_API_KEY="not-the-api-key")

    assert ended.status == 1
    assert re.search(rf'failed   {customers[0]}: no vault key: .*"api_key_invalid"', ended.output), ended.output
    assert "KeyError" not in ended.output
    assert "not-the-api-key" not in ended.output


def test_a_base_url_may_have_a_stage_and_a_slash_at_its_end(programs, gate, customers):
    customers = customers(2)

    ended = programs.run(MODAL, "main", CUSTOMERS=",".join(customers), KEYBRAKE_URL=f"{gate.url}/")

    assert ended.status == 0, ended.output
    assert customers.charged() == 2
    assert gate.paths == {"/prod/vault/keys", "/prod/stripe/v1/payment_intents"}


# --- The same every morning -------------------------------------------------------------------------------------------


def test_the_cron_has_the_day_in_its_idempotency_keys(programs, customers, rows):
    customers = customers(2)
    days = {f"{datetime.now(timezone.utc):%Y-%m-%d}"}

    first = programs.run(MODAL, "daily", CUSTOMERS=",".join(customers))

    days.add(f"{datetime.now(timezone.utc):%Y-%m-%d}")
    assert first.status == 0, first.output
    assert customers.charged() == 2
    for customer in customers:
        [row] = rows(f"modal-billing/{customer}", 1)
        assert row["idempotency_key"] in {f"modal-{customer}-2999-{day}" for day in days}


# --- One key for the whole batch, and a child of it for each invocation -----------------------------------------------


def test_a_batch_stops_at_the_cap_of_its_key_whatever_its_children_have_left_and_revokes_it_at_the_end(programs, keybrake, customers):
    customers = customers(8)

    ended = programs.run(MODAL, "batch", CUSTOMERS=",".join(customers))

    assert ended.status == 1
    assert len(charged_lines(ended.output)) == 5
    assert customers.charged() == 5
    assert len(re.findall(r"^failed .*spend cap exceeded: daily cap \$150\.00", ended.output, re.MULTILINE)) == 3
    [key_id] = re.findall(r"^vault key (key_\w+)$", ended.output, re.MULTILINE)
    key = keybrake.ask("GET", f"/vault/keys/{key_id}")
    assert (key["status"], key["remaining_usd"], key["agent_run_label"]) == ("revoked", 0.05, "modal-billing/batch")
    assert f"vault key {key_id} spend cap exceeded" in ended.output
    calls = calls_of_children(keybrake, customers)
    assert len({row["key_id"] for row in calls}) == 8
    assert all(row["parent_ids"] == [key_id] for row in calls)
    assert [row["reason"] for row in calls].count("spend_cap_exceeded") == 3


def test_a_data_error_is_stopped_by_the_childs_own_cap(programs, keybrake, customers):
    customers = customers(2)

    ended = programs.run(MODAL, "batch", "--amount-cents", "3600", CUSTOMERS=",".join(customers))

    assert ended.status == 1
    assert len(re.findall(r"^failed .*spend cap exceeded: daily cap \$35\.00", ended.output, re.MULTILINE)) == 2
    assert customers.charges() == {customer: [] for customer in customers}


def test_a_key_that_is_revoked_in_the_middle_of_a_batch_stops_it(programs, gate, keybrake, customers):
    customers = customers(5)

    def revoke():
        page = keybrake.ask("GET", "/vault/audit?agent_run_label=modal-billing/batch&limit=1")
        keybrake.ask("POST", f"/vault/keys/{page['data'][0]['key_id']}/revoke")

    gate.before[3] = revoke
    ended = programs.run(MODAL, "batch", CUSTOMERS=",".join(customers))

    assert ended.status == 1
    assert customers.charged() == 2
    refused = re.findall(r"^failed   \S+: (?:AuthenticationError|no vault key): .*was revoked at 20", ended.output, re.MULTILINE)
    assert len(refused) == 3, ended.output


# --- A container that stays -------------------------------------------------------------------------------------------


def test_a_container_takes_one_key_and_revokes_it_at_its_end(programs, keybrake, customers):
    customers = customers(3)

    ended = programs.run(MODAL, "agent", CUSTOMERS=",".join(customers))

    assert ended.status == 0, ended.output
    assert customers.charged() == 3
    [key_id] = {row["key_id"] for row in of_customers(keybrake, customers)}
    assert keybrake.ask("GET", f"/vault/keys/{key_id}")["status"] == "revoked"


def test_a_container_takes_another_key_before_its_own_expires(modal_billing, keybrake, customers):
    customers = customers(3)
    soon = modal_billing.BillingAgent(expires_in="30s")  # less than a minute is left of it at once

    for customer in customers:
        soon.charge.local(customer, 2999, DAY)

    assert len({row["key_id"] for row in of_customers(keybrake, customers)}) == 3
    assert customers.charged() == 3
    assert soon.expires_at - datetime.now(timezone.utc) > timedelta(seconds=20)


def calls_of_children(keybrake, customers):
    """One row for each customer, whether it was charged or refused."""

    def check():
        pages = [keybrake.ask("GET", f"/vault/audit?agent_run_label=modal-billing/{customer}") for customer in customers]
        rows = [row for page in pages for row in page["data"] if row["type"] == "call"]
        assert len(rows) == len(customers), rows
        return rows

    return eventually(check)


def of_customers(keybrake, customers):
    """The rows of the containers' calls for these customers, each charged once."""

    def check():
        page = keybrake.ask("GET", "/vault/audit?agent_run_label=modal-billing/agent&limit=100&state=settled")
        rows = [row for row in page["data"] if row["vendor_customer_id"] in customers]
        assert len(rows) == len(customers), rows
        return rows

    return eventually(check)


def test_the_exit_of_a_container_is_the_revocation(modal_billing, keybrake, customers):
    container = modal_billing.BillingAgent()
    container.charge.local(customers(1)[0], 2999, DAY)

    # What Modal's container calls at its end; `.local()` never does.
    [leave] = _find_callables_for_obj(container._cached_user_cls_instance(), _PartialFunctionFlags.EXIT).values()
    leave()

    assert keybrake.ask("GET", "/vault/keys/self", token=container.vault_key)["error"]["code"] == "key_revoked"


# --- What is on the record --------------------------------------------------------------------------------------------


def test_modals_input_id_is_on_the_row_and_does_not_reach_stripe(modal_billing, in_container, customers, rows):
    [customer] = customers(1)

    first = in_container("in-1", lambda: modal_billing.charge_customer.local(customer, 2999, DAY))

    [row] = rows(f"modal-billing/{customer}", 1)
    assert (row["metadata"], row["call_label"]) == ({"modal_input_id": "in-1"}, "in-1")
    assert stripe.PaymentIntent.create(
        amount=2999, currency="usd", customer=customer, idempotency_key=f"modal-{customer}-2999-{DAY}"
    ).metadata.to_dict() == {}, "the same request but for the header, and Stripe takes it for the same"
    again = in_container("in-2", lambda: modal_billing.charge_customer.local(customer, 2999, DAY))
    assert again == first


def test_an_input_id_in_stripes_own_metadata_would_break_the_repetition(keybrake, modal_billing, customers):
    [customer] = customers(1)
    wanted = {"amount": 2999, "currency": "usd", "customer": customer, "idempotency_key": f"modal-{customer}"}
    modal_billing.charge(keybrake.issue(daily_usd_cap=100)["vault_key"], customer, 1, DAY)  # points the module at the product

    stripe.PaymentIntent.create(**wanted, metadata={"modal_input_id": "in-1"})

    with pytest.raises(stripe.IdempotencyError):
        stripe.PaymentIntent.create(**wanted, metadata={"modal_input_id": "in-2"})


# --- What Modal pickles -----------------------------------------------------------------------------------------------


def test_what_is_returned_holds_no_key(modal_billing, customers):
    returned = modal_billing.charge_customer.local(customers(1)[0], 2999, DAY)

    assert type(returned) is dict
    assert stripe.api_key.encode() not in pickle.dumps(returned)


def test_a_declined_card_is_a_plain_exception_that_passes_modal(modal_billing, keybrake, customers, monkeypatch):
    [customer] = customers(1)
    create = stripe.PaymentIntent.create

    def with_declined_card(**fields):
        return create(**fields, confirm=True, payment_method="pm_card_chargeDeclined")

    monkeypatch.setattr(stripe.PaymentIntent, "create", with_declined_card)

    with pytest.raises(RuntimeError) as caught:
        modal_billing.charge_customer.local(customer, 2999, DAY)

    passed = pickle_exception(caught.value)
    assert stripe.api_key.encode() not in passed
    told = deserialize(passed, None)
    assert type(told) is RuntimeError
    assert re.fullmatch(rf"{customer}: CardError: Request req_\w+: Your card was declined\.", str(told))
    assert keybrake.ask("GET", "/vault/keys/self", token=stripe.api_key)["remaining_usd"] == 50


# --- Why processes ----------------------------------------------------------------------------------------------------


def test_in_threads_the_global_key_is_the_one_that_was_set_last(modal_billing, customers, monkeypatch):
    customers = customers(2)
    both_have_set_theirs = threading.Barrier(2)
    create = stripe.PaymentIntent.create

    def when_both_are_ready(**fields):
        both_have_set_theirs.wait(timeout=20)
        return create(**fields)

    monkeypatch.setattr(stripe.PaymentIntent, "create", when_both_are_ready)
    outcomes = in_threads(lambda customer: modal_billing.charge_customer.local(customer, 2999, DAY), customers)

    # Both calls landed on one key of $50: the second did not fit, though its own key had all of its $50.
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["RuntimeError", "dict"]
    assert customers.charged() == 1


def test_in_threads_clients_keep_their_keys_apart(modal_billing, keybrake, customers):
    customers = customers(2)
    containers = {customer: modal_billing.BillingAgent() for customer in customers}
    ready = threading.Barrier(2)

    def charge(customer):
        ready.wait(timeout=20)
        return containers[customer].charge.local(customer, 2999, DAY)

    outcomes = in_threads(charge, customers)

    assert [outcome["customer"] for outcome in outcomes] == customers
    assert len({row["key_id"] for row in of_customers(keybrake, customers)}) == 2


def in_threads(call, values):
    """What each call returned or raised, in the order of the values."""
    outcomes = {}

    def keep(value):
        try:
            outcomes[value] = call(value)
        except RuntimeError as error:
            outcomes[value] = error

    threads = [threading.Thread(target=keep, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[value] for value in values]
