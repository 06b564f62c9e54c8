"""resend-python, oldest and newest, by `resend.api_url`: its natural exceptions, once each; recipients that add up."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from itertools import count

import pytest
import resend
from resend.exceptions import ResendError

IS_OLDEST = version("resend") == "2.0.0"
FROM = "Acme <billing@acme.example>"
# What a recipient costs by default, in micro-dollars.
EACH = 900
NAMES = count(1)

needs_options = pytest.mark.skipif(IS_OLDEST, reason="2.0.0 has no options: Idempotency-Key came with 2.8.0")


@pytest.fixture
def new_address():
    """Makes addresses that no other test writes to."""
    return lambda: f"reader-{next(NAMES)}@example.com"


@pytest.fixture
def issue(keybrake):
    return lambda **policy: keybrake.issue(vendor="resend", **policy)


@pytest.fixture
def use_resend(keybrake, monkeypatch):
    def point(token):
        monkeypatch.setattr(resend, "api_key", token)
        monkeypatch.setattr(resend, "api_url", f"{keybrake.url}/resend")

    return point


@pytest.fixture
def refused(requests_during):
    """What the call raised, which is exactly this class of Resend's, after exactly one request."""

    def attempt(call, kind):
        with requests_during() as requests, pytest.raises(ResendError) as raised:
            call()
        assert len(requests) == 1, requests
        assert type(raised.value).__name__ == kind, repr(raised.value)
        return raised.value

    return attempt


def email_to(to, **fields):
    return {"from": FROM, "to": to, "subject": "Your invoice", "html": "<p>100 % & more: ünïcode</p>", **fields}


def test_the_version_is_the_one_of_the_requirements():
    assert version("resend") in ("2.0.0", "2.39.0")


def test_an_email_is_sent_and_counted_by_its_recipients(keybrake, issue, use_resend, new_address, requests_during):
    key = issue(daily_usd_cap=1)
    use_resend(key["vault_key"])
    to, cc, bcc = [new_address(), f"Ann <{new_address()}>"], new_address(), [new_address(), new_address()]

    with requests_during() as requests:
        sent = resend.Emails.send(
            email_to(
                to,
                cc=cc,
                bcc=bcc,
                reply_to="answers@acme.example",
                text="100 %\nof it",
                headers={"X-Run": "7"},
                tags=[{"name": "run", "value": "seven"}],
                attachments=[{"filename": "a.txt", "content": list(b"an invoice")}],
            )
        )

    assert len(requests) == 1
    assert keybrake.has_counted(key, 5 * EACH)
    [charge] = keybrake.charges_to("resend", cc)
    assert (charge["id"], charge["to"], charge["cost_micro_usd"]) == (sent["id"], [*to, cc, *bcc], 5 * EACH)
    [row] = keybrake.rows(key, 1)
    assert (row["state"], row["vendor_object_id"], row["vendor_status"]) == ("settled", sent["id"], 200)
    assert resend.Emails.get(sent["id"])["subject"] == "Your invoice"


def test_one_recipient_may_be_a_text(keybrake, issue, use_resend, new_address):
    key, to = issue(daily_usd_cap=1), new_address()
    use_resend(key["vault_key"])

    sent = resend.Emails.send(email_to(to))

    assert [charge["id"] for charge in keybrake.charges_to("resend", to)] == [sent["id"]]
    assert keybrake.has_counted(key, EACH)


def test_a_batch_counts_all_its_recipients(keybrake, issue, use_resend, new_address):
    key = issue(daily_usd_cap=1)
    use_resend(key["vault_key"])
    first, second, third = new_address(), new_address(), new_address()

    sent = resend.Batch.send([email_to([first]), email_to([second], cc=[third])])

    ids = [email["id"] for email in sent["data"]]
    assert [charge["id"] for charge in keybrake.charges_to("resend", first, second)] == ids
    assert keybrake.has_counted(key, 3 * EACH)
    assert [row["vendor_object_id"] for row in keybrake.rows(key, 1)] == [ids[0]]


@needs_options
def test_of_a_permissive_batch_what_was_accepted_counts(keybrake, issue, use_resend, new_address):
    key = issue(daily_usd_cap=1)
    use_resend(key["vault_key"])
    without_subject = {"from": FROM, "to": [new_address()], "html": "x"}

    sent = resend.Batch.send(
        [email_to([new_address()]), without_subject, email_to([new_address()])], {"batch_validation": "permissive"}
    )

    assert (len(sent["data"]), [error["index"] for error in sent["errors"]]) == (2, [1])
    assert keybrake.has_counted(key, 2 * EACH)


@needs_options
def test_a_scheduled_email_is_moved_for_nothing_and_its_cancelling_gives_nothing_back(
    keybrake, issue, use_resend, new_address
):
    key, to = issue(daily_usd_cap=1), new_address()
    use_resend(key["vault_key"])

    sent = resend.Emails.send(email_to([to], scheduled_at="2099-01-01T00:00:00Z"))
    assert resend.Emails.update({"id": sent["id"], "scheduled_at": "2099-01-02T00:00:00Z"})["id"] == sent["id"]
    assert resend.Emails.cancel(sent["id"])["id"] == sent["id"]

    assert keybrake.has_counted(key, EACH)
    assert [charge["status"] for charge in keybrake.charges_to("resend", to)] == ["canceled"]


@needs_options
def test_an_idempotency_key_sends_and_counts_once(keybrake, issue, use_resend, new_address):
    key = issue(daily_usd_cap=3 * EACH / 1_000_000)
    use_resend(key["vault_key"])
    one, two = email_to([new_address()]), [email_to([new_address()]), email_to([new_address()])]

    for attempt in range(2):
        single = resend.Emails.send(one, {"idempotency_key": f"one-{key['id']}"})
        batch = resend.Batch.send(two, {"idempotency_key": f"two-{key['id']}"})
        seen = [single["id"], *(email["id"] for email in batch["data"])]
        if attempt == 0:
            first = seen

    assert seen == first
    assert keybrake.has_counted(key, 3 * EACH)
    recipients = [email["to"][0] for email in (one, *two)]
    assert [charge["id"] for charge in keybrake.charges_to("resend", *recipients)] == first
    keybrake.rows(key, 4)


@needs_options
def test_an_idempotency_key_with_another_email_is_refused_by_resend_and_counts_nothing(
    keybrake, issue, use_resend, new_address, refused
):
    key = issue(daily_usd_cap=1)
    use_resend(key["vault_key"])
    options = {"idempotency_key": f"mismatch-{key['id']}"}
    resend.Emails.send(email_to([new_address()]), options)

    error = refused(lambda: resend.Emails.send(email_to([new_address()]), options), "ResendError")

    assert (error.code, error.error_type) == (409, "invalid_idempotent_request")
    assert keybrake.has_counted(key, EACH)


@needs_options
def test_a_connection_that_broke_is_found_out_by_the_idempotency_key(
    keybrake, issue, use_resend, new_address, refused
):
    key, to = issue(daily_usd_cap=EACH / 1_000_000), new_address()
    use_resend(key["vault_key"])
    options = {"idempotency_key": f"broken-{key['id']}"}
    keybrake.fault("resend", kind="break_after", method="POST", path="/emails")

    error = refused(lambda: resend.Emails.send(email_to([to]), options), "ResendError")

    assert error.code == 502
    assert "whether it was charged is not known, and its budget stays held" in str(error)
    assert keybrake.has_counted(key, 0, held=EACH)
    again = resend.Emails.send(email_to([to]), options)
    assert [charge["id"] for charge in keybrake.charges_to("resend", to)] == [again["id"]]
    assert keybrake.has_counted(key, EACH)


def test_without_an_idempotency_key_what_is_not_known_stays_held(keybrake, issue, use_resend, new_address, refused):
    key, to = issue(daily_usd_cap=1), new_address()
    use_resend(key["vault_key"])
    keybrake.fault("resend", kind="break_after", method="POST", path="/emails")

    error = refused(lambda: resend.Emails.send(email_to([to])), "ResendError")

    assert (error.code, error.error_type) == (502, "application_error")
    assert "whether it was charged is not known, and its budget stays held" in str(error)
    assert keybrake.has_counted(key, 0, held=EACH)
    assert len(keybrake.charges_to("resend", to)) == 1


def test_an_exceeded_cap_is_a_rate_limit_error_that_says_everything(
    keybrake, issue, use_resend, new_address, refused
):
    key = issue(daily_usd_cap=0.001)
    use_resend(key["vault_key"])
    resend.Emails.send(email_to([new_address()]))
    keybrake.rows(key, 1)
    to = new_address()

    error = refused(
        lambda: resend.Emails.send(email_to([to, new_address()])), "ResendError" if IS_OLDEST else "RateLimitError"
    )

    assert (error.code, error.error_type) == (429, "daily_quota_exceeded")
    assert error.message == str(error)
    for part in (
        key["id"],
        "daily cap $0.001",
        "spent $0.0009",
        "remaining $0.0001",
        "this call needs $0.0018",
        "not retryable until the cap is raised",
        "nothing was charged",
    ):
        assert part in str(error)
    if not IS_OLDEST:
        assert "Retry-After" not in error.headers
        assert error.headers["Keybrake-Charged"] == "no"
    assert keybrake.charges_to("resend", to) == []
    assert [row["reason"] for row in keybrake.rows(key, 2)] == ["spend_cap_exceeded", None]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("re_keybrake_placeholderplaceholder00", "this is not a vault key"),
        ("vk_short", "a vault key that is mistyped or cut short"),
        ("admin-key-of-the-tests", "this is not a vault key"),
    ],
)
def test_a_wrong_key_is_told_by_its_kind_and_not_shown(use_resend, new_address, refused, token, kind):
    use_resend(token)

    error = refused(lambda: resend.Emails.send(email_to([new_address()])), "ResendError")

    assert (error.code, error.error_type) == (401, "invalid_api_key")
    assert kind in str(error)
    assert token not in str(error) + str(vars(error))


def test_a_revoked_key_and_an_expired_one_say_since_when(keybrake, issue, use_resend, new_address, refused):
    expired, revoked = issue(expires_in="1s"), issue()
    keybrake.ask("POST", f"/vault/keys/{revoked['id']}/revoke")
    time.sleep(1.1)

    for key, said, reason in (
        (revoked, f"vault key {revoked['id']} was revoked at 20", "key_revoked"),
        (expired, f"vault key {expired['id']} expired at 20", "key_expired"),
    ):
        use_resend(key["vault_key"])
        error = refused(lambda: resend.Emails.send(email_to([new_address()])), "ResendError")
        assert (error.code, error.error_type) == (401, "invalid_api_key")
        assert said in str(error)
        assert [row["reason"] for row in keybrake.rows(key, 1)] == [reason]


def test_what_a_key_may_not_do_is_a_resend_error_of_403_that_names_what_it_may(
    keybrake, issue, use_resend, new_address, refused
):
    narrow = issue(allowed_endpoints=["POST /emails"])
    near = issue(allowed_recipients=["example.com"])
    few = issue(max_recipients=1)
    wide = issue()

    for key, call, code, part in (
        (
            narrow,
            lambda: resend.Batch.send([email_to([new_address()])]),
            "endpoint_not_allowed",
            "does not allow POST /emails/batch; it allows POST /emails",
        ),
        (narrow, lambda: resend.Domains.list(), "endpoint_not_allowed", "does not allow GET /domains"),
        (
            wide,
            lambda: resend.ApiKeys.create({"name": "mine"}),
            "endpoint_not_priced",
            "it creates or changes credentials of this account",
        ),
        (
            wide,
            lambda: resend.Emails.send(email_to([new_address()], BCC=["more@example.com"])),
            "endpoint_not_priced",
            '"BCC": unknown field; Keybrake cannot bound its cost',
        ),
        (
            near,
            lambda: resend.Emails.send(email_to([new_address()], bcc=["ann@example.org"])),
            "recipient_not_allowed",
            "ann@example.org",
        ),
        (
            few,
            lambda: resend.Emails.send(email_to([new_address(), new_address()])),
            "too_many_recipients",
            "nothing was charged",
        ),
    ):
        use_resend(key["vault_key"])
        error = refused(call, "ResendError")
        assert (error.code, error.error_type) == (403, code)
        assert part in str(error)
    for key, count_of_rows in ((narrow, 2), (wide, 2), (near, 1), (few, 1)):
        assert keybrake.has_counted(key, 0)
        keybrake.rows(key, count_of_rows)


@pytest.mark.parametrize(
    ("to", "part"),
    [
        ("ann@example.com, bob@example.com", "to: got"),
        ([], "to: got 0 addresses; expected 1 to 50"),
        (["ann@example.com"] * 51, "to: got 51 addresses; expected 1 to 50"),
    ],
)
def test_what_cannot_be_counted_is_a_validation_error_that_names_the_field(
    keybrake, issue, use_resend, refused, to, part
):
    key = issue()
    use_resend(key["vault_key"])

    error = refused(lambda: resend.Emails.send(email_to(to)), "ValidationError")
    assert (error.code, error.error_type) == (400, "validation_error")
    assert str(error).startswith(part)
    error = refused(lambda: resend.Batch.send([email_to(["ann@example.com"]), email_to(to)]), "ValidationError")
    assert str(error).startswith(f"[1].{part}")

    keybrake.rows(key, 2)
    assert keybrake.has_counted(key, 0)


def test_resends_own_refusals_pass_as_they_are_and_give_the_budget_back(
    keybrake, issue, use_resend, new_address, refused
):
    key = issue(daily_usd_cap=1)
    use_resend(key["vault_key"])
    email = email_to([new_address()])

    error = refused(
        lambda: resend.Emails.send({"to": email["to"], "subject": "x", "html": "x"}),
        "ResendError" if IS_OLDEST else "MissingRequiredFieldsError",
    )
    assert (error.code, str(error)) == (422, "Missing `from` field.")
    keybrake.fault("resend", kind="429", method="POST", path="/emails")
    error = refused(lambda: resend.Emails.send(email), "ResendError" if IS_OLDEST else "RateLimitError")
    assert (error.code, error.error_type) == (429, "rate_limit_exceeded")
    assert keybrake.has_counted(key, 0)

    keybrake.fault("resend", kind="500_after", method="POST", path="/emails")
    error = refused(lambda: resend.Emails.send(email), "ApplicationError")
    assert error.code == 500
    assert keybrake.has_counted(key, 0, held=EACH)


def test_the_address_may_come_from_the_environment(keybrake, issue, new_address):
    key, to = issue(daily_usd_cap=1), new_address()
    program = f"import resend; print(resend.Emails.send({email_to([to])!r})['id'])"

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "RESEND_API_URL": f"{keybrake.url}/resend", "RESEND_API_KEY": key["vault_key"]},
        capture_output=True,
        text=True,
        check=True,
    )

    assert [charge["id"] for charge in keybrake.charges_to("resend", to)] == [ended.stdout.strip()]


def test_a_slash_behind_the_address_is_told_in_the_error(
    keybrake, issue, use_resend, new_address, refused, monkeypatch
):
    use_resend(issue()["vault_key"])
    monkeypatch.setattr(resend, "api_url", f"{keybrake.url}/resend/")

    error = refused(lambda: resend.Emails.send(email_to([new_address()])), "ValidationError")

    assert "no slash at the end of the SDK's base address" in str(error)


def send_one(arguments):
    """Sends one e-mail. At the top, for other processes too."""
    url, token, to = arguments
    resend.api_key, resend.api_url = token, f"{url}/resend"
    return resend.Emails.send(email_to([to]))["id"]


def send_one_or_say(arguments):
    """What a program does where errors cross a process: a text crosses it."""
    try:
        return send_one(arguments)
    except ResendError as error:
        raise RuntimeError(f"{error.code}: {error}") from None


def test_no_exception_survives_pickling_before_2_45_1(issue, use_resend, new_address):
    kinds = set()
    for policy, email in (
        ({"daily_usd_cap": 0.0001}, email_to([new_address()])),
        ({"allowed_endpoints": ["GET /emails"]}, email_to([new_address()])),
        ({}, email_to([])),
    ):
        token = issue(**policy)["vault_key"]
        use_resend(token)
        with pytest.raises(ResendError) as raised:
            resend.Emails.send(email)
        kinds.add(type(raised.value).__name__)
        pickled = pickle.dumps(raised.value)
        assert token.encode() not in pickled
        with pytest.raises(TypeError, match="missing .* required positional argument"):
            pickle.loads(pickled)

    assert kinds == {"ResendError", "ValidationError"} | (set() if IS_OLDEST else {"RateLimitError"})


def test_one_such_exception_breaks_a_pool_of_processes_and_a_text_of_it_does_not(keybrake, issue, new_address):
    key = issue(daily_usd_cap=0.0001)
    work = (keybrake.url, key["vault_key"], new_address())

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        with pytest.raises(RuntimeError, match=r"^429: vault key .* daily cap \$0\.0001"):
            processes.submit(send_one_or_say, work).result()
        with pytest.raises(BrokenProcessPool):
            processes.submit(send_one, work).result()

    keybrake.rows(key, 2)


def test_twenty_threads_on_a_cap_for_five_send_five(keybrake, issue, use_resend, new_address):
    key = issue(daily_usd_cap=5 * EACH / 1_000_000)
    use_resend(key["vault_key"])
    addresses = [new_address() for _ in range(20)]

    def send(to):
        try:
            return resend.Emails.send(email_to([to]))["id"]
        except ResendError as error:
            return error.code

    with ThreadPoolExecutor(20) as executor:
        outcomes = list(executor.map(send, addresses))

    sent = [outcome for outcome in outcomes if outcome != 429]
    assert len(sent) == 5
    assert sorted(charge["id"] for charge in keybrake.charges_to("resend", *addresses)) == sorted(sent)
    assert keybrake.has_counted(key, 5 * EACH)
    rows = keybrake.rows(key, 20)
    assert sorted(row["vendor_object_id"] for row in rows if row["state"] == "settled") == sorted(sent)
    assert [row["reason"] for row in rows].count("spend_cap_exceeded") == 15


def test_threads_with_batches_on_a_cap_for_five_recipients_never_reach_a_sixth(
    keybrake, issue, use_resend, new_address
):
    key = issue(daily_usd_cap=5 * EACH / 1_000_000)
    use_resend(key["vault_key"])
    pairs = [(new_address(), new_address()) for _ in range(20)]

    def send(pair):
        try:
            return len(resend.Batch.send([email_to([to]) for to in pair])["data"])
        except ResendError as error:
            assert error.code == 429
            return 0

    with ThreadPoolExecutor(20) as executor:
        outcomes = list(executor.map(send, pairs))

    assert sum(outcomes) == 4
    assert len(keybrake.charges_to("resend", *(to for pair in pairs for to in pair))) == 4
    assert keybrake.has_counted(key, 4 * EACH)
