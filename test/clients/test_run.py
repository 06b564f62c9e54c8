"""What docs/cli.md says of the Python SDKs under `keybrake run`: these jobs are as people write them."""

import os
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]
NODE = REPOSITORY / "node_modules" / ".bin" / "node"

RESEND = """
import resend
sent = resend.Emails.send({"from": "Shop <shop@example.com>", "to": ["ann@example.org"], "subject": "Hello", "html": "<p>Hello</p>"})
print(len(sent["id"]))
"""

TWILIO = """
import os
from twilio.rest import Client
client = Client()
client.api.base_url = os.environ["TWILIO_BASE_URL"]
message = client.messages.create(to="+15555550100", from_="+15005550006", body="Hello")
print(message.sid[:2])
"""

STRIPE = """
import os
import stripe
print(stripe.api_key, stripe.api_base)
stripe.api_key = os.environ["STRIPE_SECRET_KEY"]
stripe.api_base = os.environ["STRIPE_API_BASE"]
print(stripe.PaymentIntent.create(amount=1999, currency="usd").amount)
"""


@pytest.mark.parametrize(
    ("vendor", "job", "printed"),
    [
        ("resend", RESEND, "36\n"),
        ("twilio", TWILIO, "SM\n"),
        # Neither the key nor the address came from the environment.
        ("stripe", STRIPE, "None https://api.stripe.com\n1999\n"),
    ],
)
def test_a_job_has_the_key_and_the_address(vendor, job, printed):
    command = [NODE, REPOSITORY / "bin" / "cli.js", "run", "--vendor", vendor, "--cap", "50", "--", sys.executable, "-c", job]
    ended = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))

    assert (ended.returncode, ended.stdout) == (0, printed), ended.stderr
    assert "revoked" in ended.stderr
