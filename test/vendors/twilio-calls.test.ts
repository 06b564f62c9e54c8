import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rateCardWith } from "../support/rate-card.ts";
import {
  answered,
  CALLS,
  HEX,
  messageOf,
  micros,
  posting,
  quoted,
  quoteOf,
  readOf,
  refusal,
  SAY,
  TO,
} from "./twilio-harness.ts";

/** Guarantees that a call costs at most what was reserved, whatever it is told to do. */

const call = (rest: string, twiml = SAY) =>
  `${TO}&From=%2B15555550199&Twiml=${twiml}${rest === "" ? "" : `&${rest}`}`;

describe("what a call can cost at most", () => {
  test.each([
    ["a started minute", call("TimeLimit=1"), 100_000, "1 minute"],
    ["one minute", call("TimeLimit=60"), 100_000, "1 minute"],
    ["two started minutes", call("TimeLimit=61"), 200_000, "2 minutes"],
    ["four hours", call("TimeLimit=14400"), 24_000_000, "240 minutes"],
    ["recorded", call("TimeLimit=120&Record=true"), 210_000, "2 minutes, recorded"],
    ["not recorded", call("TimeLimit=120&Record=false"), 200_000, "2 minutes"],
    [
      "with machine detection",
      call("TimeLimit=60&MachineDetection=Enable&AsyncAmd=true"),
      120_000,
      "1 minute, with machine detection",
    ],
    ["to a client", `To=client%3Aann&TimeLimit=60&Twiml=${SAY}`, 1_000, "1 minute"],
    ["to SIP", `To=sip%3Aann%40pbx.example&TimeLimit=60&Twiml=${SAY}`, 2_000, "1 minute"],
    [
      "with callbacks, of which a method is none",
      call(
        "TimeLimit=60&StatusCallback=https%3A%2F%2Fa.example&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&Method=GET",
      ),
      100_000,
      "1 minute",
    ],
  ])("%s", (_, body, amount, amountText) => {
    expect(quoteOf(posting(CALLS, body))).toMatchObject({
      amount: micros(amount),
      amountText,
      currency: "usd",
    });
  });

  test.each([
    ["no TimeLimit", call(""), "amount_unknown"],
    ["no seconds", call("TimeLimit=0"), "amount_unknown"],
    ["more than four hours", call("TimeLimit=14401"), "amount_unknown"],
    ["half a second", call("TimeLimit=1.5"), "amount_unknown"],
    ["an exponent", call("TimeLimit=1e3"), "amount_unknown"],
    ["a leading zero", call("TimeLimit=060"), "amount_unknown"],
    ["two limits", call("TimeLimit=60&TimeLimit=600"), "ambiguous_request"],
    ["no instructions", `${TO}&TimeLimit=60`, "amount_unknown"],
    ["a premium number", `To=%2B19005550100&TimeLimit=60&Twiml=${SAY}`, "endpoint_not_priced"],
    ["a national number", `To=5555550100&TimeLimit=60&Twiml=${SAY}`, "endpoint_not_priced"],
    [
      "SIP that leads back",
      `To=sip%3A%2B33612345678%40x.pstn.twilio.com&TimeLimit=60&Twiml=${SAY}`,
      "endpoint_not_priced",
    ],
    ["a carrier of one's own", call("TimeLimit=60&Byoc=BY1"), "endpoint_not_priced"],
    ["a branded call", call("TimeLimit=60&CallReason=a"), "endpoint_not_priced"],
    [
      "a configuration for recordings",
      call("TimeLimit=60&RecordingConfigurationId=a"),
      "endpoint_not_priced",
    ],
    ["an address", `${TO}&TimeLimit=60&Url=https%3A%2F%2Fa.example`, "endpoint_not_priced"],
    [
      "an address beside Twiml, which it overrides",
      call("TimeLimit=60&Url=https%3A%2F%2Fa.example"),
      "endpoint_not_priced",
    ],
    [
      "an address for failures",
      call("TimeLimit=60&FallbackUrl=https%3A%2F%2Fa.example"),
      "endpoint_not_priced",
    ],
    ["an application", `${TO}&TimeLimit=60&ApplicationSid=AP1`, "endpoint_not_priced"],
  ])("is not known: %s", (_, body, code) => {
    expect(refusal(posting(CALLS, body))).toBe(code);
  });

  test("a missing TimeLimit is answered with what to add", () => {
    expect(messageOf(quoted(posting(CALLS, call(""))))).toContain("TimeLimit=300");
  });

  test("instructions from elsewhere name their setting and the way without it", () => {
    const message = messageOf(quoted(posting(CALLS, `${TO}&TimeLimit=60&Url=https%3A%2F%2Fa.example`)));
    expect(message).toContain("prices.twilio.call_instructions");
    expect(message).toContain("Twiml");
  });

  test("they come on top once they have a price", () => {
    const rateCard = rateCardWith({
      prices: { twilio: { call_minute: { "+1": "0.1" }, call_instructions: "2" } },
    });
    expect(quoteOf(posting(CALLS, `${TO}&TimeLimit=60&Url=a`), rateCard)).toMatchObject({
      amount: micros(2_100_000),
      amountText: "1 minute, instructed from elsewhere",
      isFinal: true,
    });
  });

  test("a call is an estimate until Twilio tells its price", () => {
    const answer = answered(201, { sid: `CA${HEX}`, price: null, price_unit: "USD", status: "queued" });
    expect(readOf(posting(CALLS, call("TimeLimit=120")), answer)).toMatchObject({
      kind: "executed",
      price: micros(200_000),
      isEstimate: true,
      objectId: `CA${HEX}`,
    });
  });

  test("what comes on top of the minutes is never told, so then the quote is final", () => {
    const answer = answered(201, { sid: `CA${HEX}`, price: null, status: "queued" });
    expect(readOf(posting(CALLS, call("TimeLimit=120&Record=true")), answer)).toMatchObject({
      price: micros(210_000),
      isEstimate: false,
    });
  });
});

describe("instructions that a call may have", () => {
  const isAccepted = (twiml: string) =>
    refusal(posting(CALLS, call("TimeLimit=60", encodeURIComponent(twiml)))) === null;

  test.each([
    "<Response/>".replace("/>", "></Response>"),
    '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hello</Say></Response>',
    "<?xml version='1.0'?>\n<Response>\n  <Say voice='woman' language='en-GB' loop='2'>Hi</Say>\n  <Pause length=\"5\"/>\n</Response>\n",
    '<Response><Play loop="0">https://a.example/?a=1&amp;b=2</Play><Hangup/></Response>',
    "<Response><Say>5 &lt; 6 &#8364; “quoted” &apos;</Say><Reject reason='busy' /></Response>",
    '<Response><Play digits="wwww1928"></Play><Pause></Pause></Response>',
  ])("%s", (twiml) => {
    expect(isAccepted(twiml)).toBe(true);
  });

  test.each([
    "",
    "<Response><Dial>+33612345678</Dial></Response>",
    "<Response><Say>a</Say><Dial><Number>+33612345678</Number></Dial></Response>",
    "<Response><Say><Dial>+33612345678</Dial></Say></Response>",
    "<Response><Redirect>https://a.example</Redirect></Response>",
    "<Response><Gather action='https://a.example'/></Response>",
    "<Response><Gather/></Response>",
    "<Response><Record/></Response>",
    "<Response><Refer><Sip>sip:a@b</Sip></Refer></Response>",
    "<Response><Sms to='+33612345678'>a</Sms></Response>",
    "<Response><Message>a</Message></Response>",
    "<Response><Pay/></Response>",
    "<Response><Connect><Stream url='wss://a'/></Connect></Response>",
    "<Response><Start><Stream url='wss://a'/></Start></Response>",
    "<Response><Enqueue>a</Enqueue></Response>",
    "<Response><Leave/></Response>",
    "<Response><say>a</say></Response>",
    "<Response><Say voice='Polly.Joanna'>a</Say></Response>",
    "<Response><Say voice='Polly.Joanna' voice='man'>a</Say></Response>",
    "<Response><Say voice='man' voice='woman'>a</Say></Response>",
    "<Response><Say constructor='a'>a</Say></Response>",
    "<Response><constructor>a</constructor></Response>",
    "<Response><Say>a</Play></Response>",
    "<Response><Say>a</Say></Response><Response><Dial>1</Dial></Response>",
    "<Response><!-- a --><Say>a</Say></Response>",
    "<Response><Say><![CDATA[a]]></Say></Response>",
    "<!DOCTYPE Response [<!ENTITY a '<Dial>1</Dial>'>]><Response><Say>&a;</Say></Response>",
    "<Response><Say>&a;</Say></Response>",
    "<Response><Say>a & b</Say></Response>",
    "<Response><?php a ?></Response>",
    "<Response>a</Response>",
    "<Response action='https://a.example'><Say>a</Say></Response>",
    "<Response><Pause><Dial>1</Dial></Pause></Response>",
    "<Response><Hangup>a</Hangup></Response>",
    `<Response><Say>${"a".repeat(4_000)}</Say></Response>`,
    '<?xml version="1.0" encoding="UTF-7"?><Response><Say>a</Say></Response>',
  ])("but not %s", (twiml) => {
    expect(isAccepted(twiml)).toBe(false);
  });

  test("whatever is put between verbs that cost nothing, a <Dial> is seen", () => {
    const part = fc.constantFrom(
      "<Say>a</Say>",
      "<Pause/>",
      " ",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "'",
      '"',
      ">",
      "<",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.array(part, { maxLength: 6 }), (before, after) => {
        const twiml = `<Response>${before.join("")}<Dial>1</Dial>${after.join("")}</Response>`;
        expect(isAccepted(twiml)).toBe(false);
      }),
    );
  });
});
