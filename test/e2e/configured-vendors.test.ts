import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { at, textAt } from "../support/json.ts";
import {
  type Asked,
  ask,
  balanceOf,
  callRows,
  issue,
  type Key,
  type OwnRun,
  type Reply,
  startOwn,
} from "../support/keybrake.ts";
import { answer, broken, type OwnUpstream, onceOpened, startOwnUpstream } from "../support/own-upstream.ts";
import { exampleOf } from "../vendors/configured/harness.ts";

/**
 * Guarantees that a vendor that is only described has all that a built-in one has: caps under parallel calls, revocation,
 * repeats that count once, rows with dollars and ids, and answers that never repeat a credential. The definitions are those
 * of examples/vendors, each before an upstream of its own.
 */

const NAMES = ["images", "letters", "lookup"] as const;
type Name = (typeof NAMES)[number];
const CREDENTIALS: Readonly<Record<Name, string>> = {
  images: "images-recognisable-0001",
  letters: "user:letters-recognisable-0002",
  lookup: "lookup-recognisable-0003",
};

let run: OwnRun;
let upstreams: Readonly<Record<Name, OwnUpstream>>;
beforeAll(async () => {
  const [images, letters, lookup] = await Promise.all([
    startOwnUpstream(),
    startOwnUpstream(),
    startOwnUpstream(),
  ]);
  upstreams = { images, letters, lookup };
  run = await startOwn({
    definitions: NAMES.map(exampleOf),
    vendors: Object.fromEntries(
      NAMES.map((name) => [
        name,
        { kind: "upstream", origin: upstreams[name].origin, credential: CREDENTIALS[name] },
      ]),
    ),
  });
});
afterAll(async () => {
  await run?.close();
  for (const upstream of Object.values(upstreams ?? {})) await upstream.close();
});
beforeEach(() => {
  for (const upstream of Object.values(upstreams)) upstream.forget();
});

const keyFor = (vendor: Name, body: object = {}): Promise<Key> => issue(run, { vendor, ...body });
const call = (key: Key, method: string, path: string, asked: Asked = {}): Promise<Reply> =>
  ask(run, method, path, { token: key.token, ...asked });
const image = (key: Key, n: number, headers: Asked["headers"] = {}): Promise<Reply> =>
  call(key, "POST", "/images/v1/images", { json: { prompt: "x", n }, headers });
const letter = (key: Key, headers: Asked["headers"] = {}): Promise<Reply> =>
  call(key, "POST", "/letters/letters", { json: { to: "ann" }, headers });
const company = (key: Key): Promise<Reply> => call(key, "GET", "/lookup/v2/companies/example.com");

let made = 0;
const imageMade = () => answer(200, { id: `img_${++made}` }, { "X-Request-Id": `req_${made}` });
const letterAt = (amount: unknown, id = "ltr_1") =>
  answer(201, { id, cost: { amount } }, { "X-Letters-Request": "lr_1" });

describe("caps", () => {
  test("hold under parallel calls: none reaches the API that does not fit", async () => {
    const key = await keyFor("images", { daily_usd_cap: 1 });
    upstreams.images.next(...Array.from({ length: 40 }, imageMade));

    const replies = await Promise.all(Array.from({ length: 40 }, () => image(key, 3)));

    const statuses = replies.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(8);
    expect(statuses.filter((status) => status === 429)).toHaveLength(32);
    expect(upstreams.images.requests).toHaveLength(8);
    expect(await balanceOf(run, key)).toMatchObject({ spent: 96, reserved: 0 });
  });

  test("a refusal is a plain shape with its status, and says what is left", async () => {
    const key = await keyFor("images", { daily_usd_cap: 0.1 });

    const { status, json, rawHeaders } = await image(key, 3);

    expect(status).toBe(429);
    expect(at(json, "error")).toMatchObject({
      code: "spend_cap_exceeded",
      status: 429,
      charged: "no",
      request_id: expect.any(String),
    });
    expect(textAt(json, "error", "message")).toMatch(/0\.12.*; nothing was charged$/);
    expect(rawHeaders).toContain("Keybrake-Code");
  });

  test("a price in the answer frees what was reserved beyond it", async () => {
    const key = await keyFor("letters", { daily_usd_cap: 5.5 });
    upstreams.letters.next(letterAt(0.8), letterAt("0.95", "ltr_2"));

    expect((await letter(key)).status).toBe(201);
    expect((await letter(key)).status, "$5 no longer fit").toBe(429);
    expect(await balanceOf(run, key)).toMatchObject({ spent: 80, reserved: 0 });
  });

  test("a price above its bound is counted all the same", async () => {
    const key = await keyFor("letters");
    upstreams.letters.next(letterAt(7.25));

    await letter(key);

    expect((await balanceOf(run, key)).spent).toBe(725);
    expect((await callRows(run, key))[0]).toMatchObject({ cost_usd: 7.25, reserved_usd: 5 });
  });

  test("a price that cannot be read costs its bound", async () => {
    const key = await keyFor("letters");
    upstreams.letters.next(letterAt(-3), letterAt(null, "ltr_2"), answer(200, "<html>"));

    for (let sent = 0; sent < 3; sent++) await letter(key);

    expect((await balanceOf(run, key)).spent).toBe(1_500);
  });
});

describe("outcomes", () => {
  test("what the API did not begin costs nothing, and what is not known stays held", async () => {
    const key = await keyFor("images");
    const statuses = [400, 401, 422, 429, 404, 500, 503];
    upstreams.images.next(
      ...statuses.flatMap((status) =>
        status === 401 ? [answer(status, {})] : [answer(status, { message: "no" })],
      ),
    );

    for (const status of statuses) expect((await image(key, 1)).status).toBe(status);

    expect(await balanceOf(run, key)).toMatchObject({ spent: 0, reserved: 12 });
    expect((await callRows(run, key)).map(({ state }) => state).toReversed()).toEqual([
      ...Array(4).fill("released"),
      ...Array(3).fill("unresolved"),
    ]);
  });

  test("a lookup that finds nothing costs nothing where its definition says so", async () => {
    const key = await keyFor("lookup");
    upstreams.lookup.next(answer(404, {}), answer(200, { company: { id: 77 } }));

    expect((await company(key)).status).toBe(404);
    expect((await company(key)).status).toBe(200);

    expect(await balanceOf(run, key)).toMatchObject({ spent: 1, reserved: 0 });
  });

  test("a broken connection keeps its budget held", async () => {
    const key = await keyFor("images");
    upstreams.images.next(broken(true));

    const { status, json } = await image(key, 1);

    expect(status).toBe(502);
    expect(at(json, "error")).toMatchObject({ code: "vendor_connection_broken", charged: "unknown" });
    expect(await balanceOf(run, key)).toMatchObject({ spent: 0, reserved: 4 });
  });
});

test("a revoked key calls nothing any more, also what is free", async () => {
  const key = await keyFor("images");
  upstreams.images.next(imageMade());
  expect((await image(key, 1)).status).toBe(200);

  await ask(run, "DELETE", `/vault/keys/${key.id}`, { token: run.apiKey });

  expect((await image(key, 1)).status).toBe(401);
  const free = await call(key, "GET", "/images/v1/models");
  expect(free.status).toBe(401);
  expect(at(free.json, "error")).toMatchObject({ code: "key_revoked", status: 401 });
  expect(upstreams.images.requests).toHaveLength(1);
});

describe("a repeat under one idempotency key", () => {
  test("counts once, and is answered as the API answers it", async () => {
    const key = await keyFor("images");
    const same = answer(200, { id: "img_same" });
    upstreams.images.next(same, same);

    for (let sent = 0; sent < 2; sent++)
      expect((await image(key, 2, { "Idempotency-Key": "i1" })).status).toBe(200);

    expect(upstreams.images.requests).toHaveLength(2);
    expect(await balanceOf(run, key)).toMatchObject({ spent: 8, reserved: 0 });
    expect(
      (await callRows(run, key)).map(({ cost_usd, idempotency_key }) => [cost_usd, idempotency_key]),
    ).toEqual([
      [0, "i1"],
      [0.08, "i1"],
    ]);
  });

  test("finds out what became of a call whose answer was lost", async () => {
    const key = await keyFor("letters");
    upstreams.letters.next(broken(false), letterAt(1.1, "ltr_lost"));
    const headers = { "X-Request-Key": "r1" };

    expect((await letter(key, headers)).status).toBe(502);
    expect(await balanceOf(run, key)).toMatchObject({ spent: 0, reserved: 500 });
    expect((await letter(key, headers)).status).toBe(201);
    expect(await balanceOf(run, key)).toMatchObject({ spent: 110, reserved: 0 });
  });

  test("is refused while the first one is under way", async () => {
    const key = await keyFor("images");
    const gate = Promise.withResolvers<void>();
    upstreams.images.next(onceOpened(gate.promise, answer(200, { id: "img_slow" })));
    const first = image(key, 1, { "Idempotency-Key": "i2" });
    await expect.poll(() => upstreams.images.requests.length).toBe(1);

    const second = await image(key, 1, { "Idempotency-Key": "i2" });
    gate.resolve();

    expect(second.status).toBe(409);
    expect(at(second.json, "error", "code")).toBe("idempotency_key_in_use");
    expect((await first).status).toBe(200);
  });

  test("counts anew at an endpoint that honours none", async () => {
    const key = await keyFor("lookup");
    upstreams.lookup.next(answer(200, {}), answer(200, {}));
    const asked = { headers: { "Idempotency-Key": "i3" } };

    for (let sent = 0; sent < 2; sent++) await call(key, "GET", "/lookup/v2/companies/example.com", asked);

    expect((await balanceOf(run, key)).spent).toBe(2);
    expect(JSON.stringify(upstreams.lookup.requests[0]?.rawHeaders)).not.toContain("i3");
  });
});

test("no session of the API reaches the caller", async () => {
  const key = await keyFor("images");
  upstreams.images.next(answer(200, { id: "img_9" }, { "Set-Cookie": "session=1", "X-Other": "1" }));

  const { rawHeaders } = await image(key, 1);

  expect(rawHeaders).toContain("X-Other");
  expect(rawHeaders.map((text) => text.toLowerCase())).not.toContain("set-cookie");
});

test("its row has dollars, the object's id and the id of the request at the API", async () => {
  const key = await keyFor("letters", { agent_run_label: "letters/1" });
  upstreams.letters.next(letterAt(1.05, "ltr_row"));

  await letter(key, { "Keybrake-Label": "step-1" });

  expect((await callRows(run, key))[0]).toMatchObject({
    vendor: "letters",
    method: "POST",
    path: "/letters",
    decision: "allowed",
    state: "settled",
    reserved_usd: 5,
    cost_usd: 1.05,
    amount: "1.05",
    currency: "usd",
    vendor_status: 201,
    vendor_object_id: "ltr_row",
    vendor_request_id: "lr_1",
    agent_run_label: "letters/1",
    call_label: "step-1",
  });
});

describe("a credential", () => {
  test.each(NAMES)("of %s is withheld where an answer repeats it, and the money counts", async (name) => {
    const key = await keyFor(name);
    const secret = CREDENTIALS[name].split(":").at(-1) ?? "";
    upstreams[name].next(
      answer(200, { id: "x", cost: { amount: 1 }, next: `https://api.example.com/?api_key=${secret}` }),
    );
    const send = { images: () => image(key, 1), letters: () => letter(key), lookup: () => company(key) }[
      name
    ];

    const { status, json, text, rawHeaders } = await send();

    expect(status).toBe(502);
    expect(at(json, "error")).toMatchObject({ code: "vendor_answer_withheld", charged: "yes" });
    expect(text + JSON.stringify(rawHeaders)).not.toContain("recognisable");
    expect((await balanceOf(run, key)).spent).toBe({ images: 4, letters: 100, lookup: 1 }[name]);
    expect(JSON.stringify(await callRows(run, key))).not.toContain("recognisable");
  });

  test("of a redirect is withheld too", async () => {
    const key = await keyFor("lookup");
    upstreams.lookup.next(answer(302, "", { Location: `https://x.example/?api_key=${CREDENTIALS.lookup}` }));

    const { status, rawHeaders } = await call(key, "GET", "/lookup/v2/usage");

    expect(status).toBe(502);
    expect(JSON.stringify(rawHeaders)).not.toContain("recognisable");
  });
});

describe("a key", () => {
  test("may be limited to endpoints of the definition, and to no others", async () => {
    const allowed = await ask(run, "POST", "/vault/keys", {
      token: run.apiKey,
      json: { vendor: "images", daily_usd_cap: 1, allowed_endpoints: ["POST /v1/images"] },
    });
    expect(allowed.status).toBe(201);
    const wrong = await ask(run, "POST", "/vault/keys", {
      token: run.apiKey,
      json: { vendor: "images", daily_usd_cap: 1, allowed_endpoints: ["POST /v1/image"] },
    });
    expect(wrong.status).toBe(400);
    expect(textAt(wrong.json, "error", "message")).toContain('expected "POST /v1/images"');
  });

  test("has no limits inside of a call, since its definition names none", async () => {
    const { status, json } = await ask(run, "POST", "/vault/keys", {
      token: run.apiKey,
      json: { vendor: "images", daily_usd_cap: 1, max_recipients: 1 },
    });
    expect(status).toBe(400);
    expect(textAt(json, "error", "message")).toMatch(/^max_recipients: /);
  });
});

test("the audit log is asked for a configured vendor by its name", async () => {
  const { status } = await ask(run, "GET", "/vault/audit?vendor=images", { token: run.apiKey });
  expect(status).toBe(200);
});
