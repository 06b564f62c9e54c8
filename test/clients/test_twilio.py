"""twilio-python, oldest and newest, by base addresses and by an HTTP client: what it raises, and money that adds up."""

import base64
import json
import multiprocessing
import pickle
import time
import uuid
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.metadata import version
from urllib.parse import urlencode, urlsplit

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

IS_OLDEST = version("twilio").startswith("7.")
PLACEHOLDER = "AC00000000000000000000000000000000"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
AUTH_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SERVICE = "VA11111111111111111111111111111111"
FROM = "+15005550006"
TWIML = "<Response><Say>Hello</Say></Response>"
MESSAGES = "/2010-04-01/Accounts/*/Messages.json"
# What a text of one segment to a number of the United States costs by default, in micro-dollars.
SMS = 14_500


class ProxyClient(TwilioHttpClient):
    """Leads the requests of all domains to the product (docs/vendors/twilio.md)."""

    def __init__(self, base, **options):
        super().__init__(**options)
        self.base = base

    def request(self, method, url, *args, **kwargs):
        if not url.startswith(self.base + "/"):
            parts = urlsplit(url)
            query = f"?{parts.query}" if parts.query else ""
            url = f"{self.base}/{parts.hostname.split('.')[0]}{parts.path}{query}"
        return super().request(method, url, *args, **kwargs)


def client_at(url, token, way, account=PLACEHOLDER):
    base = f"{url}/twilio"
    if way == "ProxyClient":
        return Client(account, token, http_client=ProxyClient(base))
    client = Client(account, token)
    client.api.base_url = base
    client.verify.base_url = f"{base}/verify"
    client.lookups.base_url = f"{base}/lookups"
    return client


@pytest.fixture(params=["base_url", "ProxyClient"])
def client_of(request, keybrake):
    return lambda token, account=PLACEHOLDER: client_at(keybrake.url, token, request.param, account)


@pytest.fixture
def issue(keybrake):
    return lambda **policy: keybrake.issue(vendor="twilio", **policy)


@pytest.fixture
def refused(requests_during):
    """What the call raised, which is Twilio's own exception, after exactly one request."""

    def attempt(call):
        with requests_during() as requests, pytest.raises(TwilioRestException) as raised:
            call()
        assert len(requests) == 1, requests
        assert type(raised.value) is TwilioRestException
        return raised.value

    return attempt


def test_the_version_is_the_one_of_the_requirements():
    assert version("twilio") in ("7.7.1", "9.11.0")


def test_a_message_is_twilios_own_object_and_counted(keybrake, issue, client_of, new_number):
    key, to = issue(daily_usd_cap=1), new_number()

    message = client_of(key["vault_key"]).messages.create(to=to, from_=FROM, body="100 % & more = ünïcode +1")

    assert (message.to, message.from_, message.body) == (to, FROM, "100 % & more = ünïcode +1")
    assert (message.status, message.num_segments, message.price) == ("queued", "1", None)
    assert keybrake.has_counted(key, SMS)
    [charge] = keybrake.charges_to("twilio", to)
    assert (charge["id"], charge["count"]) == (message.sid, 1)
    [row] = keybrake.rows(key, 1)
    assert (row["state"], row["vendor_object_id"], row["vendor_status"]) == ("settled", message.sid, 201)
    assert row["vendor_request_id"].startswith("RQ")


def test_the_account_may_be_the_placeholder_or_the_credentials_own_and_no_other(
    keybrake, issue, client_of, new_number, refused
):
    key, to = issue(daily_usd_cap=1), new_number()

    for account in (PLACEHOLDER, ACCOUNT):
        message = client_of(key["vault_key"], account).messages.create(to=to, from_=FROM, body="x")
        assert message.account_sid == ACCOUNT
    other = client_of(key["vault_key"], "AC99999999999999999999999999999999")
    error = refused(lambda: other.messages.create(to=to, from_=FROM, body="x"))

    assert (error.status, error.code) == (403, 20403)
    assert f"use the placeholder SID {PLACEHOLDER}" in error.msg
    assert error.details["keybrake_code"] == "account_not_allowed"
    assert len(keybrake.charges_to("twilio", to)) == 2


def test_a_message_is_fetched_and_its_text_erased_for_nothing(keybrake, issue, client_of, new_number):
    key = issue(daily_usd_cap=1)
    messages = client_of(key["vault_key"]).messages
    sid = messages.create(to=new_number(), from_=FROM, body="x").sid

    assert messages(sid).fetch().body == "x"
    assert messages(sid).update(body="").body == ""
    assert keybrake.has_counted(key, SMS)


def test_media_may_be_several_and_cost_as_one_message(keybrake, issue, client_of, new_number):
    key, to = issue(daily_usd_cap=1), new_number()

    message = client_of(key["vault_key"]).messages.create(
        to=to, from_=FROM, body="x", media_url=["https://example.com/a.png", "https://example.com/b.png"]
    )

    assert message.num_media == "2"
    assert keybrake.has_counted(key, 60_000)
    assert [charge["count"] for charge in keybrake.charges_to("twilio", to)] == [1]


def test_a_call_with_its_own_instructions_and_a_time_limit_is_counted_by_started_minutes(
    keybrake, issue, client_of, new_number
):
    key, to = issue(daily_usd_cap=1), new_number()

    call = client_of(key["vault_key"]).calls.create(to=to, from_=FROM, twiml=TWIML, time_limit=61)

    assert (call.to, call.status) == (to, "queued")
    assert keybrake.has_counted(key, 2 * 50_000)
    assert [charge["id"] for charge in keybrake.charges_to("twilio", to)] == [call.sid]
    assert client_of(key["vault_key"]).calls(call.sid).update(status="completed").sid == call.sid
    assert keybrake.has_counted(key, 2 * 50_000)


def test_a_verification_counts_when_it_is_begun_and_its_check_is_free(keybrake, issue, client_of, new_number):
    key, to = issue(daily_usd_cap=1), new_number()
    service = client_of(key["vault_key"]).verify.v2.services(SERVICE)

    begun = service.verifications.create(to=to, channel="sms")
    wrong = service.verification_checks.create(to=to, code="000000")
    right = service.verification_checks.create(to=to, code="123456")

    assert (begun.to, begun.status, wrong.status, right.status) == (to, "pending", "pending", "approved")
    assert keybrake.has_counted(key, 70_000)
    assert [charge["kind"] for charge in keybrake.charges_to("twilio", to)] == ["verification"]


def test_a_lookup_is_free_until_it_asks_for_more(keybrake, issue, client_of, new_number):
    key, to = issue(daily_usd_cap=1), new_number()
    lookups = client_of(key["vault_key"]).lookups

    assert lookups.v1.phone_numbers(to).fetch().phone_number == to
    assert keybrake.has_counted(key, 0)
    found = lookups.v1.phone_numbers(to).fetch(type=["carrier", "caller-name"])

    assert found.carrier["type"] == "mobile"
    assert keybrake.has_counted(key, 40_000)
    assert [charge["count"] for charge in keybrake.charges_to("twilio", to)] == [2]


@pytest.mark.skipif(IS_OLDEST, reason="7.7.1 knows version 1 of lookups alone")
def test_a_lookup_of_version_2_is_counted_by_its_fields(keybrake, issue, client_of, new_number):
    key, to = issue(daily_usd_cap=1), new_number()
    number = client_of(key["vault_key"]).lookups.v2.phone_numbers(to)

    assert number.fetch().valid
    assert number.fetch(fields="validation").valid
    assert keybrake.has_counted(key, 0)
    assert number.fetch(fields="line_type_intelligence,caller_name").line_type_intelligence["type"] == "mobile"

    assert keybrake.has_counted(key, 40_000)
    assert [charge["count"] for charge in keybrake.charges_to("twilio", to)] == [2]


def test_messages_are_walked_page_by_page(keybrake, issue, client_of, new_number, requests_during):
    key, to = issue(daily_usd_cap=1), new_number()
    messages = client_of(key["vault_key"]).messages
    sent = [messages.create(to=to, from_=FROM, body=str(index)).sid for index in range(5)]

    with requests_during() as requests:
        found = [message.sid for message in messages.list(to=to, page_size=2)]

    assert sorted(found) == sorted(sent)
    assert len(requests) == 3
    assert all(is_ours(keybrake, request) for request in requests)


def test_links_of_a_newer_api_to_further_pages_lead_back_to_the_product(
    keybrake, issue, client_of, new_number, requests_during
):
    secret = base64.b64encode(f"{ACCOUNT}:{AUTH_TOKEN}".encode()).decode()
    # The simulator lists a service once a verification was sent by it.
    made = [f"VA{uuid.uuid4().hex}" for _ in range(5)]
    for sid in made:
        keybrake.at_simulator(
            "twilio",
            f"/verify/v2/Services/{sid}/Verifications",
            urlencode({"To": new_number(), "Channel": "sms"}).encode(),
            {"Authorization": f"Basic {secret}", "Content-Type": "application/x-www-form-urlencoded"},
        )
    services = client_of(issue()["vault_key"]).verify.v2.services

    with requests_during() as requests:
        found = [service.sid for service in services.list(limit=5, page_size=2)]
        second = services.page(page_size=2).next_page()

    assert found == made[::-1]
    assert [service.sid for service in second] == found[2:4]
    assert len(requests) == 5
    assert all(is_ours(keybrake, request) for request in requests)


def is_ours(keybrake, request):
    host, path = request
    parts = urlsplit(keybrake.url)
    return host == parts.hostname and path.replace(keybrake.url, "").startswith(f"{parts.path}/twilio/")


def test_an_exceeded_cap_is_told_in_full_after_one_request(keybrake, issue, client_of, new_number, refused):
    key = issue(daily_usd_cap=0.02)
    client = client_of(key["vault_key"])
    client.messages.create(to=new_number(), from_=FROM, body="fits")
    keybrake.rows(key, 1)
    to = new_number()

    error = refused(lambda: client.messages.create(to=to, from_=FROM, body="does not"))

    assert (error.status, error.code, error.method) == (429, 20429, "POST")
    assert error.msg.startswith("Unable to create record: ")
    for part in (
        key["id"],
        "daily cap $0.02",
        "spent $0.0145",
        "remaining $0.0055",
        "this call needs $0.0145",
        "not retryable until the cap is raised",
        "nothing was charged",
    ):
        assert part in error.msg
        assert part in str(error)
    assert error.details["keybrake_code"] == "spend_cap_exceeded"
    assert error.details["charged"] == "no"
    assert error.details["remaining_usd"] == 0.0055
    assert keybrake.charges_to("twilio", to) == []
    assert [row["reason"] for row in keybrake.rows(key, 2)] == ["spend_cap_exceeded", None]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("vk_short", "a vault key that is mistyped or cut short"),
        (AUTH_TOKEN, "this is not a vault key"),
        ("admin-key-of-the-tests", "this is not a vault key"),
    ],
)
def test_a_wrong_key_is_told_by_its_kind_and_not_shown(client_of, new_number, refused, token, kind):
    client = client_of(token)

    error = refused(lambda: client.messages.create(to=new_number(), from_=FROM, body="x"))

    # Whose key it is, nobody knows, so the answer suits all SDKs: its code is the status, and it has no details.
    assert (error.status, error.code) == (401, 20003)
    assert kind in error.msg
    assert token not in error.msg + str(error) + str(vars(error))


def test_a_revoked_key_and_an_expired_one_say_since_when(keybrake, issue, client_of, new_number, refused):
    expired, revoked = issue(expires_in="1s"), issue()
    keybrake.ask("POST", f"/vault/keys/{revoked['id']}/revoke")
    time.sleep(1.1)

    for key, said, code in (
        (revoked, f"vault key {revoked['id']} was revoked at 20", "key_revoked"),
        (expired, f"vault key {expired['id']} expired at 20", "key_expired"),
    ):
        client = client_of(key["vault_key"])
        error = refused(lambda: client.messages.create(to=new_number(), from_=FROM, body="x"))
        assert (error.status, error.code) == (401, 20003)
        assert said in error.msg
        assert error.details["keybrake_code"] == code
        assert [row["reason"] for row in keybrake.rows(key, 1)] == [code]


def test_what_a_key_may_not_do_is_a_403_that_names_what_it_may(keybrake, issue, client_of, new_number, refused):
    narrow, wide = issue(allowed_endpoints=[f"POST {MESSAGES}"]), issue()
    near = issue(allowed_recipients=["+1415"])
    narrow_client, wide_client = client_of(narrow["vault_key"]), client_of(wide["vault_key"])

    for call, code, part in (
        (
            lambda: narrow_client.calls.create(to=new_number(), from_=FROM, twiml=TWIML, time_limit=60),
            "endpoint_not_allowed",
            f"does not allow POST /2010-04-01/Accounts/{PLACEHOLDER}/Calls.json; it allows POST {MESSAGES}",
        ),
        (
            lambda: narrow_client.messages("SM" + 32 * "0").fetch(),
            "endpoint_not_allowed",
            "Unable to fetch record: vault key",
        ),
        (
            lambda: narrow_client.verify.v2.services(SERVICE).fetch(),
            "endpoint_not_allowed",
            f"does not allow GET /verify/v2/Services/{SERVICE}",
        ),
        (
            lambda: wide_client.incoming_phone_numbers.create(phone_number=new_number()),
            "endpoint_not_priced",
            "it buys or changes phone numbers",
        ),
        (lambda: wide_client.new_keys.create(), "endpoint_not_priced", "nothing was charged"),
        (
            lambda: wide_client.calls.create(
                to=new_number(), from_=FROM, url="https://example.com", time_limit=60
            ),
            "endpoint_not_priced",
            "prices.twilio.call_instructions",
        ),
        (
            lambda: wide_client.messages.create(to="33663", from_=FROM, body="x"),
            "endpoint_not_priced",
            'To: got "33663"',
        ),
        (
            lambda: client_of(near["vault_key"]).messages.create(to=new_number("+1212"), from_=FROM, body="x"),
            "recipient_not_allowed",
            "+1212",
        ),
    ):
        error = refused(call)
        assert (error.status, error.code) == (403, 20403)
        assert part in error.msg
        assert error.details["keybrake_code"] == code
        assert error.details["charged"] == "no"
    assert keybrake.has_counted(wide, 0)
    keybrake.rows(narrow, 3)
    keybrake.rows(wide, 4)


def test_a_list_that_is_refused_raises_the_parent_class_with_the_answer_in_its_text(
    keybrake, issue, client_of, requests_during
):
    key = issue(allowed_endpoints=[f"POST {MESSAGES}"])
    client = client_of(key["vault_key"])

    for call in (
        lambda: client.messages.list(limit=1),
        lambda: client.verify.v2.services.list(limit=1),
        lambda: client_of("vk_short").messages.list(limit=1),
    ):
        with requests_during() as requests, pytest.raises(TwilioException) as raised:
            call()
        assert len(requests) == 1
        assert type(raised.value) is TwilioException
        pickled = pickle.dumps(raised.value)
        assert key["vault_key"].encode() not in pickled
        for error in (raised.value, pickle.loads(pickled)):
            _, answer = error.args
            assert answer.status_code in (401, 403)
            assert json.loads(answer.text)["message"] in str(error)
    assert [row["reason"] for row in keybrake.rows(key, 2)] == 2 * ["endpoint_not_allowed"]


def test_what_cannot_be_counted_is_a_400_that_names_the_field(keybrake, issue, client_of, new_number, refused):
    key = issue()
    client = client_of(key["vault_key"])

    error = refused(lambda: client.calls.create(to=new_number(), from_=FROM, twiml=TWIML))

    assert (error.status, error.code) == (400, 20001)
    assert "TimeLimit: missing; expected the longest time that the call may last in seconds" in error.msg
    assert error.details["keybrake_code"] == "amount_unknown"
    keybrake.rows(key, 1)


def test_twilios_own_refusals_pass_as_they_are_and_give_the_budget_back(
    keybrake, issue, client_of, new_number, refused
):
    key = issue(daily_usd_cap=1)
    client = client_of(key["vault_key"])

    error = refused(lambda: client.messages.create(to=new_number(), body="without a sender"))
    assert (error.status, error.code) == (400, 21603)
    keybrake.fault("twilio", kind="429", method="POST", path="/Messages.json")
    error = refused(lambda: client.messages.create(to=new_number(), from_=FROM, body="x"))
    assert (error.status, error.code) == (429, 20429)
    assert "vault key" not in error.msg

    assert keybrake.has_counted(key, 0)


def test_what_is_not_known_is_said_and_stays_held(keybrake, issue, client_of, new_number, refused):
    key, to = issue(daily_usd_cap=1), new_number()
    client = client_of(key["vault_key"])
    keybrake.fault("twilio", kind="break_after", method="POST", path="/Messages.json")

    error = refused(lambda: client.messages.create(to=to, from_=FROM, body="x"))

    assert (error.status, error.code) == (502, 20500)
    assert "whether it was charged is not known, and its budget stays held" in error.msg
    assert error.details["charged"] == "unknown"
    assert keybrake.has_counted(key, 0, held=SMS)
    assert len(keybrake.charges_to("twilio", to)) == 1


def test_the_exception_survives_pickling_in_full(issue, client_of, new_number, refused):
    capped = issue(daily_usd_cap=0.01)
    for token in (capped["vault_key"], "vk_short"):
        client = client_of(token)
        error = refused(lambda: client.messages.create(to=new_number(), from_=FROM, body="x"))

        pickled = pickle.dumps(error)
        again = pickle.loads(pickled)

        assert token.encode() not in pickled
        assert type(again) is TwilioRestException
        assert vars(again) == vars(error)
        assert set(vars(error)) == {"uri", "status", "msg", "code", "method", "details"}
        assert str(again) == str(error)


def send_one(arguments):
    """Sends one text. At the top, for other processes too."""
    url, token, to = arguments
    return client_at(url, token, "base_url").messages.create(to=to, from_=FROM, body="x").sid


def test_the_exception_comes_out_of_another_process_in_full(keybrake, issue, new_number):
    key = issue(daily_usd_cap=0.01)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        future = processes.submit(send_one, (keybrake.url, key["vault_key"], new_number()))
        with pytest.raises(TwilioRestException, match=r"daily cap \$0\.01") as raised:
            future.result()

    assert (raised.value.status, raised.value.code) == (429, 20429)
    assert raised.value.details["keybrake_code"] == "spend_cap_exceeded"


def test_twenty_threads_on_a_cap_for_five_send_five(keybrake, issue, client_of, new_number):
    key = issue(daily_usd_cap=5 * SMS / 1_000_000)
    client = client_of(key["vault_key"])
    numbers = [new_number() for _ in range(20)]

    def send(to):
        try:
            return client.messages.create(to=to, from_=FROM, body="x").sid
        except TwilioRestException as error:
            return error.status

    with ThreadPoolExecutor(20) as executor:
        outcomes = list(executor.map(send, numbers))

    sent = [sid for sid in outcomes if sid != 429]
    assert len(sent) == 5
    assert sorted(charge["id"] for charge in keybrake.charges_to("twilio", *numbers)) == sorted(sent)
    assert keybrake.has_counted(key, 5 * SMS)
    rows = keybrake.rows(key, 20)
    assert sorted(row["vendor_object_id"] for row in rows if row["state"] == "settled") == sorted(sent)
    assert [row["reason"] for row in rows].count("spend_cap_exceeded") == 15
