"""A billing job on Modal that charges through Keybrake. examples/README.md says how to run it, also without Modal.

It is the job as one usually writes it. Each comment gives the reason for something that such a job tends to lack.
"""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import httpx
import modal
import stripe

# Modal's own image has neither of the two.
image = modal.Image.debian_slim().pip_install("httpx==0.28.1", "stripe==16.1.0")
app = modal.App("billing-agent", image=image)

# KEYBRAKE_URL and KEYBRAKE_API_KEY. The Stripe secret lives in Keybrake, not in Modal.
keybrake_secret = modal.Secret.from_name("keybrake-secret")


# --- One key for each invocation --------------------------------------------------------------------------------------


@app.function(secrets=[keybrake_secret])
def charge_customer(customer_id: str, amount_cents: int, day: str) -> dict:
    """Charges one customer with a key of its own: whatever the data say, this invocation cannot spend more than $50."""
    with plain_errors(customer_id):
        key = issue_vault_key(f"modal-billing/{customer_id}", daily_usd_cap=50.0, expires_in="5m")
        return charge(key["vault_key"], customer_id, amount_cents, day)


def issue_vault_key(label: str, daily_usd_cap: float, expires_in: str, parent: str = "") -> dict:
    """Issues a key that may create PaymentIntents, and nothing else: by the API key, or by a vault key for a child."""
    r = httpx.post(
        f"{keybrake_url()}/vault/keys",
        headers={"Authorization": f"Bearer {parent or os.environ['KEYBRAKE_API_KEY']}"},
        json={
            "vendor": "stripe",
            "daily_usd_cap": daily_usd_cap,
            "allowed_endpoints": ["POST /v1/payment_intents"],
            "expires_in": expires_in,
            "agent_run_label": label,
            # On each row of the key in the audit log. Not in Stripe's own metadata: a batch that is run again has other
            # input ids, and Stripe refuses an idempotency key that comes with other parameters.
            "metadata": {"modal_input_id": input_id()},
        },
    )
    r.raise_for_status()  # a refusal has no "vault_key": without this line it would surface as a KeyError
    return r.json()


def charge(vault_key: str, customer_id: str, amount_cents: int, day: str) -> dict:
    """Charges one customer by the global `stripe` module.

    Only where a process has one input at a time, as Modal's containers do by default. `stripe.api_key` is one variable
    for the whole process: in threads, or under @modal.concurrent, calls land on each other's keys. There use
    stripe.StripeClient(key, base_addresses={"api": ...}), as BillingAgent does.
    """
    stripe.api_key = vault_key
    stripe.api_base = f"{keybrake_url()}/stripe"
    intent = stripe.PaymentIntent.create(
        amount=amount_cents,
        currency="usd",
        customer=customer_id,
        # With the day: tomorrow the same amount is owed again, and Stripe would answer with today's charge. The day
        # comes from the caller, so that an invocation that is repeated after midnight has no other one.
        idempotency_key=f"modal-{customer_id}-{amount_cents}-{day}",
        headers={"Keybrake-Label": input_id()},  # `call_label` in the audit log; Stripe does not get to see it
    )
    # Not the PaymentIntent: Modal pickles what is returned, and the pickle of a Stripe object holds the key it came by.
    return {"customer": customer_id, "payment_intent": intent.id, "amount": intent.amount}


@contextmanager
def plain_errors(customer_id: str):
    """Turns exceptions of Stripe and httpx into plain ones, since Modal pickles what is raised too.

    httpx's HTTPStatusError does not unpickle, nor does stripe's CardError before 16.1: the caller would see a TypeError
    in place of a declined card. And their pickles hold the API key or the vault key. The text says what happened.
    """
    try:
        yield
    except stripe.StripeError as error:
        raise RuntimeError(f"{customer_id}: {type(error).__name__}: {error}") from None
    except httpx.HTTPStatusError as error:
        raise RuntimeError(f"{customer_id}: no vault key: {error.response.text}") from None


@app.local_entrypoint()
def main(amount_cents: int = 2999, day: str = ""):
    report(each(charge_customer, load_customer_batch(), amount_cents=amount_cents, day=day or today()))


# --- The same every morning -------------------------------------------------------------------------------------------


@app.function(secrets=[keybrake_secret], schedule=modal.Cron("0 9 * * *"))
def daily_billing():
    """Nobody watches at nine. On the day when the data are wrong, the cap of each invocation is what stops it."""
    report(each(charge_customer, load_customer_batch(), amount_cents=2999, day=today()))


# --- One key for the whole batch, and a child of it for each invocation -----------------------------------------------


@app.function(secrets=[keybrake_secret])
def charge_within(customer_id: str, amount_cents: int, day: str, batch_key: str) -> dict:
    """At most $35 for this customer, and never more than the batch has left. It needs the batch's key and no API key."""
    with plain_errors(customer_id):
        key = issue_vault_key(f"modal-billing/{customer_id}", daily_usd_cap=35.0, expires_in="5m", parent=batch_key)
        return charge(key["vault_key"], customer_id, amount_cents, day)


@app.local_entrypoint()
def batch(amount_cents: int = 2999, day: str = ""):
    """5,000 customers where there are 50: a cap for each would let $175,000 through. This batch stops at $150."""
    key = issue_vault_key("modal-billing/batch", daily_usd_cap=150.0, expires_in="1h")
    print(f"vault key {key['id']}")
    every = {"amount_cents": amount_cents, "day": day or today(), "batch_key": key["vault_key"]}
    try:
        report(each(charge_within, load_customer_batch(), **every))
    finally:
        revoke(key["vault_key"])  # and with it every child


# --- A container that stays -------------------------------------------------------------------------------------------


@app.cls(secrets=[keybrake_secret])
class BillingAgent:
    """Charges for as long as its container lives, with one key at a time."""

    expires_in: str = modal.parameter(default="1h")

    @modal.enter()
    def start(self):
        self.take_key()

    def take_key(self):
        """Each key has a cap of its own: this container may spend $150 in the life of each."""
        key = issue_vault_key("modal-billing/agent", daily_usd_cap=150.0, expires_in=self.expires_in)
        self.vault_key = key["vault_key"]
        self.expires_at = datetime.fromisoformat(key["expires_at"])
        # A client has its own key, so this also holds where one container takes several inputs at once.
        self.stripe = stripe.StripeClient(
            self.vault_key, base_addresses={"api": f"{keybrake_url()}/stripe"}, max_network_retries=2
        )

    @modal.method()
    def charge(self, customer_id: str, amount_cents: int, day: str) -> dict:
        with plain_errors(customer_id):
            # The container may outlive its key. A minute early, so that no call begins with a key that ends under way.
            if datetime.now(timezone.utc) >= self.expires_at - timedelta(minutes=1):
                self.take_key()
            intent = self.stripe.v1.payment_intents.create(
                {"amount": amount_cents, "currency": "usd", "customer": customer_id},
                {
                    "idempotency_key": f"modal-{customer_id}-{amount_cents}-{day}",
                    "headers": {"Keybrake-Label": input_id()},
                },
            )
        return {"customer": customer_id, "payment_intent": intent.id, "amount": intent.amount}

    @modal.exit()
    def stop(self):
        self.leave_key()

    def leave_key(self):
        """The key is worth nothing once its container is gone. It revokes itself: that takes no API key."""
        revoke(self.vault_key)


@app.local_entrypoint()
def agent(amount_cents: int = 2999, day: str = ""):
    container = BillingAgent()
    customer_ids, every = load_customer_batch(), {"amount_cents": amount_cents, "day": day or today()}
    if app.app_id is None:
        report(agent_local(container, customer_ids, every))
    else:
        report(each(container.charge, customer_ids, **every))


# --- What they share --------------------------------------------------------------------------------------------------


def load_customer_batch() -> list[str]:
    """Stands for the query that one day returns 5,000 customers and not 50."""
    return os.environ.get("CUSTOMERS", "cus_A,cus_B,cus_C").split(",")


def today() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d}"


def keybrake_url() -> str:
    """The base URL, with the stage where it has one, such as https://abc.execute-api.us-east-1.amazonaws.com/prod."""
    return os.environ["KEYBRAKE_URL"].rstrip("/")  # one slash too many would make a path that Keybrake refuses


def input_id() -> str:
    """Modal's id of the input under way. There is none in @modal.enter, in a local entrypoint and in a local run."""
    return modal.current_input_id() or "no-input"


def revoke(vault_key: str):
    url = f"{keybrake_url()}/vault/keys/self/revoke"
    httpx.post(url, headers={"Authorization": f"Bearer {vault_key}"}).raise_for_status()


def each(function, customer_ids, **kwargs) -> list:
    """Charges all customers in parallel; of each its result, or the exception that it raised.

    return_exceptions=True: without it the first refusal would end the map, and what the others did would be lost.
    """
    if app.app_id is None:  # no app of Modal runs
        return each_local(function, customer_ids, kwargs)
    return list(function.map(customer_ids, kwargs=kwargs, return_exceptions=True))


def report(outcomes: list):
    """Prints what became of each customer, and raises where not all were charged: the run is then seen as failed."""
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            print(f"failed   {outcome}")
        else:
            print(f"charged  {outcome['customer']} {outcome['payment_intent']} ${outcome['amount'] / 100:.2f}")
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(outcomes)} customers were not charged")


# --- Without Modal: `python examples/modal_billing.py main` -----------------------------------------------------------


def each_local(function, customer_ids, kwargs) -> list:
    """What `map` does, on this machine: `.local()` in processes, each in place of a container with one input at a time."""
    name = next(name for name, value in globals().items() if value is function)  # the Function itself does not pickle
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("spawn")) as containers:
        calls = [containers.submit(call_local, name, customer_id, kwargs) for customer_id in customer_ids]
        return [call.exception() or call.result() for call in calls]


def call_local(name: str, customer_id: str, kwargs: dict) -> dict:
    return globals()[name].local(customer_id, **kwargs)


def agent_local(container, customer_ids, kwargs) -> list:
    """One container, one customer after the other. `.local()` runs @modal.enter by itself, and never @modal.exit."""
    outcomes = []
    for customer_id in customer_ids:
        try:
            outcomes.append(container.charge.local(customer_id, **kwargs))
        except RuntimeError as error:
            outcomes.append(error)
    container.leave_key()
    return outcomes


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=["main", "batch", "agent", "daily"])
    parser.add_argument("--amount-cents", type=int, default=2999)
    parser.add_argument("--day", default=today())
    given = parser.parse_args()
    if given.program == "daily":
        daily_billing.local()
    else:
        {"main": main, "batch": batch, "agent": agent}[given.program](given.amount_cents, given.day)
