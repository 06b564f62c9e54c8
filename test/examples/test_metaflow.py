"""examples/metaflow_billing.py: real runs, retries and resumes, in processes as a local Metaflow makes them."""

import re
from datetime import datetime, timezone

import pytest
from conftest import EXAMPLES, eventually

METAFLOW = EXAMPLES / "metaflow_billing.py"


@pytest.fixture
def flow(programs):
    """Runs the flow with a command of Metaflow's and its options."""

    def run(command, *options, customers=None, budget=300, **environment):
        parameters = () if customers is None else ("--customers", ",".join(customers), "--budget_usd", str(budget))
        return programs.run(METAFLOW, command, *parameters, *options, **environment)

    return run


def run_of(ended):
    [run_id] = re.findall(r"Workflow starting \(run-id (\d+)\)", ended.output)
    return run_id


def key_of(ended):
    [key_id] = re.findall(r"vault key (key_\w+) of \$", ended.output)
    return key_id


def tasks_charging(ended):
    """The charging tasks that a run began, each once."""
    return set(re.findall(r"/charge_customers/(\d+) \(pid \d+\)\] Task is starting", ended.output))


def months():
    """The month by the clock of the flow. A set, to be united with that of a moment later."""
    return {f"{datetime.now(timezone.utc):%Y-%m}"}


def test_a_run_charges_each_customer_once_and_each_row_names_its_step_and_task(flow, keybrake, customers, rows):
    customers = customers(4)
    billed = months()

    ended = flow("run", customers=customers)

    billed |= months()
    assert ended.status == 0, ended.output
    assert "Processed 4 customers" in ended.output
    assert customers.charged() == 4
    found = rows(f"metaflow/{run_of(ended)}", 4)
    assert {row["call_label"] for row in found} == {f"charge_customers/{task}" for task in tasks_charging(ended)}
    assert {row["key_id"] for row in found} == {key_of(ended)}
    assert {row["vendor_customer_id"] for row in found} == set(customers)
    assert {row["idempotency_key"][-7:] for row in found} <= billed
    assert keybrake.spent_cents({"id": key_of(ended)}) == 4 * 2999


def test_the_key_of_a_foreach_stops_at_its_cap_and_a_resume_completes_once_it_is_raised(flow, keybrake, customers):
    customers = customers(5)

    stopped = flow("run", customers=customers, budget=100)

    assert stopped.status == 1
    assert customers.charged() == 3
    assert re.search(r"RateLimitError: .*spend cap exceeded: daily cap \$100\.00.*nothing was charged", stopped.output)
    assert "Task is starting (retry)" in stopped.output
    assert re.search(r"Step failure:\s+Step charge_customers \(task-id \d+\) failed", stopped.output), stopped.output

    # Nothing has changed, so the same happens again, to the same end.
    again = flow("resume")
    assert again.status == 1
    assert "spend cap exceeded: daily cap $100.00" in again.output
    assert customers.charged() == 3

    key_id = key_of(stopped)
    keybrake.ask("PATCH", f"/vault/keys/{key_id}", {"daily_usd_cap": 150})
    resumed = flow("resume", "--origin-run-id", run_of(stopped))
    assert resumed.status == 0, resumed.output
    assert "Processed 5 customers" in resumed.output
    assert customers.charged() == 5
    assert keybrake.spent_cents({"id": key_id}) == 5 * 2999

    # All three runs are under the label of the first, since its key went on.
    label = f"metaflow/{run_of(stopped)}"
    paid = [row for row in settled(keybrake, label) if row["cost_usd"] > 0]
    assert sorted(row["vendor_customer_id"] for row in paid) == customers
    assert {row["cost_usd"] for row in paid} == {29.99}
    assert {row["key_id"] for row in paid} == {key_id}


def settled(keybrake, label):
    """The rows of charges that were let through; each of the five customers has one at least."""

    def check():
        page = keybrake.ask("GET", f"/vault/audit?agent_run_label={label}&state=settled&limit=100")
        assert len({row["vendor_customer_id"] for row in page["data"]}) == 5, page
        return page["data"]

    return eventually(check)


def test_a_key_that_is_revoked_in_the_middle_of_a_run_ends_it(flow, gate, keybrake, customers):
    customers = customers(4)

    def revoke():
        [newest] = keybrake.ask("GET", "/vault/audit?limit=1&agent_run_label=metaflow/*")["data"]
        keybrake.ask("POST", f"/vault/keys/{newest['key_id']}/revoke")

    gate.before[3] = revoke
    ended = flow("run", "--max-workers", "1", customers=customers)

    assert ended.status == 1
    assert customers.charged() == 2
    assert re.search(r"AuthenticationError: .*vault key key_\w+ was revoked at 20", ended.output), ended.output
    resumed = flow("resume")
    assert resumed.status == 1
    assert f"vault key {key_of(ended)} was revoked" in resumed.output
    assert customers.charged() == 2


def test_a_run_that_dies_after_a_charge_is_resumed_and_charges_nobody_twice(flow, gate, programs, keybrake, customers):
    customers = customers(4)
    gate.after[2] = programs.kill  # Stripe has charged, and the task never heard of it

    died = flow("run", "--max-workers", "1", customers=customers)

    assert died.status == -9
    assert customers.charged() == 2
    resumed = flow("resume", "--origin-run-id", run_of(died))
    assert resumed.status == 0, resumed.output
    assert "Processed 4 customers" in resumed.output
    assert gate.charges == 5
    assert customers.charged() == 4
    assert keybrake.spent_cents({"id": key_of(died)}) == 4 * 2999


def test_a_task_whose_answers_are_lost_is_retried_and_charged_once(flow, gate, keybrake, customers, rows):
    customers = customers(1)
    gate.lost = {1, 2, 3}  # the SDK sends a call three times before it gives up

    ended = flow("run", customers=customers, budget=29.99)  # room for one charge, however often it is sent

    assert ended.status == 0, ended.output
    assert "APIConnectionError" in ended.output
    assert "Task is starting (retry)" in ended.output
    assert gate.charges == 4
    assert customers.charged() == 1
    found = rows(f"metaflow/{run_of(ended)}", 4)
    assert len({row["call_id"] for row in found}) == 1
    assert [row["cost_usd"] for row in found if row["cost_usd"]] == [29.99]
    assert keybrake.spent_cents({"id": key_of(ended)}) == 2999


def test_a_second_run_of_the_month_has_a_key_of_its_own_and_charges_nobody_again(flow, customers):
    customers = customers(2)

    first, second = flow("run", customers=customers), flow("run", customers=customers)

    assert (first.status, second.status) == (0, 0), second.output
    assert key_of(first) != key_of(second)
    assert customers.charged() == 2


def test_a_key_that_is_not_issued_fails_the_start_with_its_status(flow, customers):
    ended = flow("run", customers=customers(1), KEYBRAKE_API_KEY="not-the-api-key")

    assert ended.status == 1
    assert "httpx.HTTPStatusError: Client error '401 Unauthorized'" in ended.output
    assert "Step start (task-id 1) failed" in ended.output


def test_a_base_url_may_have_a_stage_and_a_slash_at_its_end(flow, gate, customers):
    customers = customers(1)

    ended = flow("run", customers=customers, KEYBRAKE_URL=f"{gate.url}/")

    assert ended.status == 0, ended.output
    assert customers.charged() == 1
    assert gate.paths == {"/prod/vault/keys", "/prod/stripe/v1/payment_intents"}
