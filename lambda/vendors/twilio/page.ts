import type { VendorPage } from "../../domain/vendor-page.ts";

/** Addresses of its console, one for live and trial accounts. It has no page for the id of a request. */
export const page: VendorPage = {
  objects: [
    { begins: "SM", live: "https://www.twilio.com/console/sms/logs/{id}", test: null },
    { begins: "MM", live: "https://www.twilio.com/console/sms/logs/{id}", test: null },
    { begins: "CA", live: "https://www.twilio.com/console/voice/calls/logs/{id}", test: null },
  ],
  request: null,
  endpoint: "POST /2010-04-01/Accounts/*/Messages.json",
  snippets: {
    python: `from twilio.rest import Client

client = Client("AC00000000000000000000000000000000", "{key}")
client.api.base_url = "{url}"
client.messages.create(to="+15558675310", from_="+15017122661", body="Hello")`,
    node: `import twilio from "twilio";

const client = twilio("AC00000000000000000000000000000000", "{key}");
client.api.baseUrl = "{url}";
await client.messages.create({ to: "+15558675310", from: "+15017122661", body: "Hello" });`,
    curl: `curl -s {url}/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json \\
  -u "AC00000000000000000000000000000000:{key}" \\
  -d To=+15558675310 -d From=+15017122661 -d Body=Hello`,
  },
};
