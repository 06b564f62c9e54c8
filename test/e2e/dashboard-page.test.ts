import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, type OwnRun, type Reply, startOwn } from "../support/keybrake.ts";

/** Guarantees that the dashboard's page is served from the stack alone, small, closed to others and under any stage. */

const STAGE = "prod";
let run: OwnRun;
let document: Reply;
let script: string;
beforeAll(async () => {
  run = await startOwn({ stage: STAGE });
  document = await get("/dashboard");
  script = /src="(dashboard\/[^"]+\.js)"/.exec(document.text)?.[1] ?? "";
});
afterAll(() => run.close());

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  ask(run, "GET", path, { headers });

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

test("the document is HTML that names its files relative to /<stage>/dashboard", async () => {
  expect(document.status).toBe(200);
  expect(document.headers["content-type"]).toBe("text/html; charset=utf-8");
  const named = [...document.text.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
  expect(named.length).toBeGreaterThanOrEqual(2);
  for (const path of named) {
    const { pathname } = new URL(path, `${run.baseUrl}/dashboard`);
    expect(pathname).toMatch(/^\/prod\/dashboard\/[\w-]+-[A-Z0-9]{8}\.\w+$/);
    expect((await get(pathname.slice(`/${STAGE}`.length))).status, path).toBe(200);
  }
});

test.each(["/dashboard/", "/dashboard/index.html"])("%s leads to the document", async (path) => {
  const { status, headers } = await get(path);
  expect([status, headers.location]).toEqual([308, "../dashboard"]);
});

test("nothing inline is in it, and no other host", () => {
  expect(document.text).not.toMatch(/<style|style="|<script(?![^>]*src=)|\bon\w+="|https?:|\/\//i);
});

describe("every answer", () => {
  test.each([
    ["the document", "/dashboard", 200],
    ["a file", "SCRIPT", 200],
    ["a file that is not there", "/dashboard/none.js", 404],
    ["the way to the document", "/dashboard/", 308],
  ])("is closed to others: %s", async (_, path, status) => {
    const answer = await get(path === "SCRIPT" ? `/${script}` : path);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("a browser", () => {
  test("keeps a file, whose name has its hash, for a year, and asks for the document each time", async () => {
    expect((await get(`/${script}`)).headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(document.headers["cache-control"]).toBe("no-cache");
  });

  test.each(["TAG", "W/TAG", '"other", TAG'])(
    "that has the document (%s) gets 304 without it",
    async (known) => {
      const tag = document.headers.etag ?? "";
      expect(tag).toMatch(/^"[\w-]{22}"$/);
      const again = await get("/dashboard", { "If-None-Match": known.replace("TAG", tag) });
      expect([again.status, again.text, again.headers.etag]).toEqual([304, "", tag]);
    },
  );

  test.each(['"other"', "*x", ""])("that has another one (%j) gets the document", async (known) => {
    expect((await get("/dashboard", { "If-None-Match": known })).status).toBe(200);
  });

  test.each([
    ["gzip, deflate, br, zstd", "br"],
    ["BR", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip;q=1.0", "gzip"],
    ["br;q=0.0, gzip;q=0", undefined],
    ["identity", undefined],
    ["", undefined],
  ])("that accepts %j gets a file as %s", async (accepted, encoding) => {
    const plain = (await get(`/${script}`)).body;
    const answer = await get(`/${script}`, { Accept: "*/*", "Accept-Encoding": accepted });
    expect(answer.headers["content-encoding"]).toBe(encoding);
    expect(answer.headers.vary).toBe("Accept-Encoding");
    const decode = encoding === "br" ? brotliDecompressSync : encoding === "gzip" ? gunzipSync : Buffer.from;
    expect(decode(answer.body)).toEqual(plain);
    if (encoding !== undefined) expect(answer.body.length).toBeLessThan(plain.length);
  });

  test("that names no type it accepts gets text: the gateway would not decode base64 for it", async () => {
    const answer = await get(`/${script}`, { "Accept-Encoding": "br" });
    expect(answer.headers["content-encoding"]).toBeUndefined();
  });
});

describe("files of the function that are not of the page", () => {
  test.each([
    "/dashboard/index.js",
    "/dashboard/..%2findex.js",
    "/dashboard/%2e%2e%2findex.js",
    "/dashboard/..%5cindex.js",
    "/dashboard/%252e%252e%252findex.js",
    "/dashboard/page",
    "/dashboard/.",
    "/dashboard/..",
    "/dashboard/package.json",
    "/dashboard/%2fetc%2fpasswd",
    "/dashboard/constructor",
    "/dashboard/__proto__",
    "/dashboard/SCRIPT.br",
    "/dashboard/SCRIPT%00",
    "/dashboard/SCRIPT%0d%0aSet-Cookie:x=y",
  ])("are not served: %s", async (path) => {
    const answer = await get(path.replace("/dashboard/SCRIPT", `/${script}`));
    expect(answer.status).toBe(404);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });
});
