import type { VendorPage } from "../../domain/vendor-page.ts";

/** Resend has one dashboard, and no page for the id of a request. */
export const page: VendorPage = {
  objects: [{ begins: "", live: "https://resend.com/emails/{id}", test: null }],
  request: null,
  endpoint: "POST /emails",
  snippets: {
    python: `import resend

resend.api_key = "{key}"
resend.api_url = "{url}"
resend.Emails.send(
    {"from": "you@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hello"},
    {"idempotency_key": "hello-1"},
)`,
    node: `import { Resend } from "resend"; // 6.14 or newer

const resend = new Resend("{key}", { baseUrl: "{url}" });
await resend.emails.send(
  { from: "you@example.com", to: "ann@example.org", subject: "Hello", text: "Hello" },
  { idempotencyKey: "hello-1" },
);`,
    curl: `curl -s {url}/emails -H "Authorization: Bearer {key}" -H "Idempotency-Key: hello-1" \\
  --json '{"from": "you@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hello"}'`,
  },
};
