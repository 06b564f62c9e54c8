"""A billing flow as one usually writes it, with nothing but the base URL, the customers and the budget from outside."""

import os

import httpx
import stripe
from metaflow import FlowSpec, retry, step


class UsualBillingFlow(FlowSpec):
    @step
    def start(self):
        from metaflow import current

        self.customer_ids = os.environ["CUSTOMERS"].split(",")
        self.amount_cents = 2999
        self.vault_key = self._issue_vault_key(
            run_id=current.run_id,
            budget_usd=float(os.environ["BUDGET_USD"]),
        )
        self.next(self.charge_customers, foreach="customer_ids")

    def _issue_vault_key(self, run_id: str, budget_usd: float) -> str:
        r = httpx.post(
            f"{os.environ['KEYBRAKE_URL']}/vault/keys",
            headers={"Authorization": f"Bearer {os.environ['KEYBRAKE_API_KEY']}"},
            json={
                "vendor": "stripe",
                "daily_usd_cap": budget_usd,
                "allowed_endpoints": ["POST /v1/payment_intents"],
                "expires_in": "4h",
                "agent_run_label": f"metaflow/{run_id}",
            },
        )
        return r.json()["vault_key"]

    @retry(times=2)
    @step
    def charge_customers(self):
        stripe.api_key = self.vault_key  # scoped vault key from start step
        stripe.api_base = f"{os.environ['KEYBRAKE_URL']}/stripe"
        stripe.PaymentIntent.create(
            amount=self.amount_cents,
            currency="usd",
            customer=self.input,
            idempotency_key=f"{self.input}-{self.amount_cents}",  # stable on retry
        )
        self.next(self.join)

    @step
    def join(self, inputs):
        self.results = [i.input for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        print(f"Processed {len(self.results)} customers")


if __name__ == "__main__":
    UsualBillingFlow()
