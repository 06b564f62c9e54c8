"""A billing flow on Metaflow that charges through Keybrake. examples/README.md says how to run it.

It is the flow as one usually writes it. Each comment gives the reason for something that such a flow tends to lack.
"""

import os
from datetime import datetime, timezone

import httpx
import stripe
from metaflow import FlowSpec, Parameter, current, retry, step


class BillingFlow(FlowSpec):
    """Charges each customer once, with one vault key for the whole run and for all that is resumed of it."""

    customers = Parameter("customers", default="cus_A,cus_B,cus_C", separator=",")
    budget_usd = Parameter("budget_usd", default=300.0)

    @step
    def start(self):
        self.customer_ids = self.customers  # could be thousands
        self.amount_cents = 2999
        # The month that is billed. An artifact: a resume takes it from the run that failed, even if it is the next month.
        self.period = f"{datetime.now(timezone.utc):%Y-%m}"
        self.vault_key = self._issue_vault_key(run_id=current.run_id, budget_usd=self.budget_usd)
        self.next(self.charge_customers, foreach="customer_ids")

    def _issue_vault_key(self, run_id: str, budget_usd: float) -> str:
        r = httpx.post(
            f"{keybrake_url()}/vault/keys",
            headers={"Authorization": f"Bearer {os.environ['KEYBRAKE_API_KEY']}"},
            json={
                "vendor": "stripe",
                "daily_usd_cap": budget_usd,
                "allowed_endpoints": ["POST /v1/payment_intents"],
                # Longer than the run, and than a person takes to see that it failed: a resume goes on with this key.
                "expires_in": "4h",
                "agent_run_label": f"metaflow/{run_id}",
            },
        )
        r.raise_for_status()  # a refusal has no "vault_key": without this line it would surface as a KeyError
        issued = r.json()
        print(f"vault key {issued['id']} of ${budget_usd}")  # an operator raises or revokes it by its id
        return issued["vault_key"]

    # Without the second argument Batch and Kubernetes wait two minutes before a retry. No wait makes a cap go away.
    @retry(times=2, minutes_between_retries=0)
    @step
    def charge_customers(self):
        # Globals are safe here: each task is a process of its own, also on one machine.
        stripe.api_key = self.vault_key  # scoped vault key from start step
        stripe.api_base = f"{keybrake_url()}/stripe"
        stripe.PaymentIntent.create(
            amount=self.amount_cents,
            currency="usd",
            customer=self.input,
            # Stable on retry and resume. With the period, because the next month the same amount is owed again.
            idempotency_key=f"{self.input}-{self.amount_cents}-{self.period}",
            # `call_label` in the audit log. A header and not Stripe's metadata: a task that is resumed has another id,
            # and Stripe refuses an idempotency key that comes with other parameters.
            headers={"Keybrake-Label": f"{current.step_name}/{current.task_id}"},
        )
        self.next(self.join)

    @step
    def join(self, inputs):
        self.results = [i.input for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        print(f"Processed {len(self.results)} customers")


def keybrake_url() -> str:
    """The base URL, with the stage where it has one, such as https://abc.execute-api.us-east-1.amazonaws.com/prod."""
    return os.environ["KEYBRAKE_URL"].rstrip("/")  # one slash too many would make a path that Keybrake refuses


if __name__ == "__main__":
    BillingFlow()
