"""A billing job as one usually writes it, with nothing but the base URL changed. At its end processes stand for `map`."""

import multiprocessing
import os

import httpx
import modal
import stripe

app = modal.App("billing-agent")

keybrake_secret = modal.Secret.from_name("keybrake-secret")  # KEYBRAKE_API_KEY
# STRIPE_SECRET_KEY lives in Keybrake, not in Modal


@app.function(secrets=[keybrake_secret])
def charge_customer(customer_id: str, amount_cents: int) -> dict:
    # Issue a short-lived vault key for this invocation only
    r = httpx.post(
        f"{os.environ['KEYBRAKE_URL']}/vault/keys",
        headers={"Authorization": f"Bearer {os.environ['KEYBRAKE_API_KEY']}"},
        json={
            "vendor": "stripe",
            "daily_usd_cap": 50.0,  # cap per invocation
            "allowed_endpoints": ["POST /v1/payment_intents"],
            "expires_in": "5m",  # short — function runs in seconds
            "agent_run_label": f"modal-billing/{customer_id}",
        },
    )
    vault_key = r.json()["vault_key"]

    stripe.api_key = vault_key
    stripe.api_base = f"{os.environ['KEYBRAKE_URL']}/stripe"
    return stripe.PaymentIntent.create(
        amount=amount_cents,
        currency="usd",
        customer=customer_id,
        idempotency_key=f"modal-{customer_id}-{amount_cents}",
    )


def charge_local(customer_id):
    return charge_customer.local(customer_id, amount_cents=int(os.environ["AMOUNT_CENTS"]))


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(4) as containers:
        for intent in containers.map(charge_local, os.environ["CUSTOMERS"].split(",")):
            print(intent.customer, intent.id, intent.amount)
