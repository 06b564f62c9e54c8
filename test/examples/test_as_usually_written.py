"""Programs as they are usually written, with nothing but the base URL changed: usual_modal.py and usual_metaflow.py."""

import re

from conftest import HERE

MODAL = HERE / "usual_modal.py"
METAFLOW = HERE / "usual_metaflow.py"


def test_a_modal_map_charges_each_customer_once_also_when_it_runs_again(programs, customers):
    customers = customers(8)
    batch = {"CUSTOMERS": ",".join(customers), "AMOUNT_CENTS": "2999"}

    first = programs.run(MODAL, **batch)
    again = programs.run(MODAL, **batch)

    assert first.status == 0, first.output
    assert re.findall(r"^(cus_\S+) pi_\S+ 2999$", first.output, re.MULTILINE) == customers
    assert again.output == first.output
    assert customers.charged() == 8


def test_a_modal_map_over_wrong_amounts_raises_a_rate_limit_error_and_charges_nobody(programs, customers):
    customers = customers(2)

    ended = programs.run(MODAL, CUSTOMERS=",".join(customers), AMOUNT_CENTS="299900")

    assert ended.status == 1
    assert re.search(r"RateLimitError: .*spend cap exceeded: daily cap \$50\.00", ended.output), ended.output
    assert customers.charged() == 0


def test_a_metaflow_run_charges_each_customer_once(programs, customers, rows):
    customers = customers(3)

    ended = programs.run(METAFLOW, "run", CUSTOMERS=",".join(customers), BUDGET_USD="300")

    assert ended.status == 0, ended.output
    assert "Processed 3 customers" in ended.output
    assert customers.charged() == 3
    [run_id] = re.findall(r"Workflow starting \(run-id (\d+)\)", ended.output)
    assert {row["vendor_customer_id"] for row in rows(f"metaflow/{run_id}", 3)} == set(customers)


def test_a_metaflow_run_stops_at_its_cap_and_a_resume_goes_on_once_it_is_raised(programs, keybrake, customers):
    customers = customers(4)

    stopped = programs.run(METAFLOW, "run", CUSTOMERS=",".join(customers), BUDGET_USD="60")

    assert stopped.status == 1
    assert customers.charged() == 2
    [key_id] = set(re.findall(r"vault key (key_\w+) spend cap exceeded: daily cap \$60\.00", stopped.output))
    assert keybrake.ask("PATCH", f"/vault/keys/{key_id}", {"daily_usd_cap": 120})["daily_usd_cap"] == 120
    resumed = programs.run(METAFLOW, "resume")
    assert resumed.status == 0, resumed.output
    assert "Processed 4 customers" in resumed.output
    assert customers.charged() == 4
    assert keybrake.spent_cents({"id": key_id}) == 4 * 2999
