import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../local/listen.ts";
import { eventually } from "../support/eventually.ts";
import { ask, issue, type Key, pay, post } from "../support/keybrake.ts";
import { type OwnUpstream, startOwnUpstream } from "../support/own-upstream.ts";
import { killAllStarted, start } from "../support/start.ts";

/** Guarantees that `npm start` starts, stops and fails with a message that helps. */

const LOCAL = join(import.meta.dirname, "..", "..", "bin", "local.ts");

const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  await killAllStarted();
  await upstream.close();
  upstream = await startOwnUpstream();
});

let upstream: OwnUpstream;
beforeAll(async () => {
  upstream = await startOwnUpstream();
});
afterAll(() => upstream.close());

interface Started {
  /** Resolves with what stands on stdout as soon as it ends with a ready line; never when there is none. */
  readonly ready: Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  kill(signal: NodeJS.Signals): void;
}

/** `command`: what runs it; by script(1) of util-linux it stands on a terminal. */
function npmStart(
  environment: Readonly<Record<string, string>>,
  command: readonly string[] = [process.execPath, LOCAL],
): Started {
  const { PATH = "" } = process.env;
  const [program = "", ...rest] = command;
  const child = spawn(program, rest, {
    env: { PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ready = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (/^ready .*\n$/m.test(stdout.replaceAll("\r\n", "\n"))) resolve(stdout);
    });
  });
  const ended = new Promise<Awaited<Started["ended"]>>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { ready, ended, kill: (signal) => child.kill(signal) };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "npm start says what it is, has a command to paste that works, and is stopped cleanly by %s",
  async (signal) => {
    const run = npmStart({ PORT: "0", KEYBRAKE_STAGE: "prod" });
    const lines = (await run.ready).trimEnd().split("\n");

    const baseUrl = lines.at(-1)?.replace(/^ready /, "") ?? "";
    expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/prod$/);
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    const apiKey =
      lines
        .find((line) => line.startsWith("  API key"))
        ?.split(" ")
        .at(-1) ?? "";
    expect(apiKey).toMatch(/^kb_[0-9A-Za-z]{40}$/);
    const text = lines.join("\n");
    expect(text).toContain(`  base URL   ${baseUrl}\n`);
    expect(text).toContain(`  dashboard  ${baseUrl}/dashboard (npx keybrake dashboard makes`);
    // A collector of logs reads this, too.
    expect(text).not.toContain("code=");
    for (const vendor of ["Stripe", "Twilio", "Resend"])
      expect(text).toMatch(
        new RegExp(
          `^ {2}${vendor} {5}simulated, its books: http://127\\.0\\.0\\.1:\\d+/books \\(real with [A-Z_]+`,
          "m",
        ),
      );
    expect(text).toMatch(/^ {2}DynamoDB {3}http:\/\/127\.0\.0\.1:\d+ /m);
    const command = lines.find((line) => line.startsWith("  curl "))?.trim() ?? "";
    const issued: unknown = JSON.parse(execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" }));
    expect(issued).toMatchObject({ vault_key: expect.stringMatching(/^kbvk/), agent_run_label: "first/try" });

    run.kill(signal);
    expect(await run.ended).toMatchObject({ code: 0, stderr: "" });
  },
);

test.runIf(process.platform === "linux")("on a terminal it prints an address that signs in", async () => {
  const run = npmStart({ PORT: "0" }, ["script", "-qec", `'${process.execPath}' '${LOCAL}'`, "/dev/null"]);
  const text = await run.ready;
  const [, url = "", code = ""] =
    /^ {2}dashboard {2}(http\S+)\/dashboard#code=(\w{32}) \(signs in once/m.exec(text) ?? [];

  const answer = await fetch(`${url}/dashboard/login`, {
    method: "POST",
    headers: { "Sec-Fetch-Site": "same-origin", "Keybrake-Dashboard": "1" },
    body: JSON.stringify({ code }),
  });
  expect(answer.status).toBe(200);
});

test("a given API key is not printed, and the real Stripe is announced in capitals", async () => {
  const run = npmStart({ PORT: "0", KEYBRAKE_API_KEY: "mine-alone-1234", STRIPE_SECRET_KEY: "sk_test_mine" });
  const stdout = await run.ready;

  expect(stdout).toContain("  API key    from KEYBRAKE_API_KEY\n");
  expect(stdout).toContain("  Stripe     https://api.stripe.com: THE REAL STRIPE");
  expect(stdout).toContain("  Twilio     simulated");
  expect(stdout).not.toMatch(/mine-alone-1234|sk_test_mine/);
});

test("a wrong variable ends it at once with a message and code 1", async () => {
  expect(await npmStart({ PORT: "many" }).ended).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "keybrake cannot start: PORT is many; expected a number from 0 to 65535, where 0 takes a free port\n",
  });
});

test("a taken port ends it with a message and code 1", async () => {
  const other = createServer();
  const port = await listen(other, 0);

  expect(await npmStart({ PORT: String(port) }).ended).toEqual({
    code: 1,
    stdout: "",
    stderr: `keybrake cannot start: port ${port} is taken; set PORT to another one, or to 0 for a free one\n`,
  });
  other.close();
});

describe("a line for each decision", () => {
  /** What stands below the ready line, the times left out. */
  const linesOf = (stdout: string): readonly string[] =>
    stdout
      .slice(stdout.indexOf("\nready ") + 1)
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.replace(/^\d\d:\d\d:\d\dZ {2}/, "").replace(/ {2,}/g, "  "));

  test("tells what was charged and is left, what was denied and why, keys, and calls of nobody", async () => {
    const run = await start();
    const key = await issue(run, { agent_run_label: "first/try" });
    await pay(run, key, 2999);
    await pay(run, key, 2999);
    await post(run, key, "/v1/customers");
    await post(run, key, "/v1/charges", { amount: "100", currency: "usd", source: "tok_chargeDeclined" });
    await ask(run, "POST", `/vault/keys/${key.id}/revoke`, { token: run.apiKey });
    await pay(run, key, 1);
    const lost: Key = { id: "", token: "kbvkAAAAAAAA" };
    await pay(run, lost, 1);
    await ask(run, "POST", "/vault/keys", { token: "not-the-api-key" });
    await ask(run, "GET", "/healthz", { headers: { Origin: "https://evil.example" } });
    await ask(run, "GET", "/vault/audit", { token: run.apiKey });

    expect(await run.kill("SIGTERM")).toBe(0);

    const lines = linesOf(run.stdout());
    expect(lines.find((line) => line.startsWith("KEY  issued"))).toMatch(
      new RegExp(`^KEY  issued  ${key.id}  first/try  stripe, \\$50\\.00 a day, until 20[-0-9: ]+Z$`),
    );
    const calls = (path: string, outcome: string) => `POST  ${path}  ${key.id}  first/try  ${outcome}`;
    expect([...lines].filter((line) => !/^(KEY {2}issued|EVENT {2})/.test(line)).sort()).toEqual(
      [
        calls("/stripe/v1/payment_intents", "charged $29.99, left $20.01"),
        calls("/stripe/v1/payment_intents", "DENIED 429 spend_cap_exceeded, needs $29.99, left $20.01"),
        calls("/stripe/v1/customers", "free"),
        calls("/stripe/v1/charges", "not charged, stripe answered 402, left $20.01"),
        `KEY  revoked  ${key.id}  first/try  by admin`,
        calls("/stripe/v1/payment_intents", "DENIED 401 key_revoked, needs $0.01, left $20.01"),
        "POST  /stripe/v1/payment_intents  -  -  DENIED 401 key_unknown",
        "POST  /vault/keys  -  -  DENIED 401 api_key_invalid",
        "GET  /healthz  -  -  DENIED 403 gateway_access_denied",
      ].sort(),
    );
    for (const secret of [key.token, lost.token, run.apiKey, "not-the-api-key"])
      expect(run.stdout()).not.toContain(secret);
    expect(run.stdout()).not.toContain("\u001b");
    expect(run.stderr()).toBe("");
  });

  test("KEYBRAKE_LOG=off leaves the ready line the last one", async () => {
    const run = await start({ KEYBRAKE_LOG: "off" });
    await pay(run, await issue(run), 100);
    await run.kill("SIGTERM");

    expect(linesOf(run.stdout())).toEqual([]);
  });
});

describe("a signal with a call under way", () => {
  const HANGING =
    /^stopping: waiting for 1 call in progress, at most 28 s; press Ctrl-C again to stop at once\n/;

  async function withCallUnderWay() {
    const run = await start({ KEYBRAKE_STRIPE_ORIGIN: upstream.origin });
    const key = await issue(run);
    // Answered by nobody until the upstream closes.
    upstream.next(() => {});
    const call = pay(run, key, 100).then(
      ({ status }) => status,
      () => "cut off",
    );
    await eventually(() => expect(upstream.requests).toHaveLength(1));
    return { run, call };
  }

  test("waits for it, says so, and ends well when it has ended", async () => {
    const { run, call } = await withCallUnderWay();

    const ended = run.kill("SIGINT");
    await eventually(() => expect(run.stderr()).toMatch(HANGING));
    await upstream.close();

    expect(await call).toBe(502);
    expect(await ended).toBe(0);
    expect(run.stdout()).toContain("UNRESOLVED, $1.00 held");
  });

  test("twice at once is one signal; one more ends it at once, and its engine too", async () => {
    const { run, call } = await withCallUnderWay();

    void run.kill("SIGINT");
    const ended = run.kill("SIGINT");
    await eventually(() => expect(run.stderr()).toMatch(HANGING));
    await eventually(() => {
      void run.kill("SIGINT");
      expect(run.stderr()).toMatch(/^stopped at once with 1 call in progress: /m);
    });

    expect(await ended).toBe(130);
    expect(await call).toBe("cut off");
    await eventually(() => expect(fetch(run.dynamodbEndpoint)).rejects.toThrow());
  });
});

test.each([
  ["KEYBRAKE_DATA", "/", "KEYBRAKE_DATA is /: it is a folder; expected a file, such as /keybrake.db"],
  ["KEYBRAKE_DATA", "/proc/keybrake.db", "/proc/keybrake.db"],
  ["STRIPE_SECRET_KEY", "hello", "STRIPE_SECRET_KEY is not a key of this kind; expected "],
] as const)("%s=%s ends it with one line, no stack and code 1", async (name, value, message) => {
  const { code, stdout, stderr } = await npmStart({ PORT: "0", [name]: value }).ended;

  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^keybrake cannot start: [^\n]+\n$/);
  expect(stderr).toContain(message);
});

test("npm start with KEYBRAKE_VENDORS has a vendor without code, and calls it with its secret", async () => {
  const run = await start({
    KEYBRAKE_VENDORS: join(import.meta.dirname, "..", "..", "examples", "vendors", "images.json"),
    KEYBRAKE_IMAGES_SECRET: "images-secret-0001",
    KEYBRAKE_IMAGES_ORIGIN: upstream.origin,
  });
  expect(run.stdout()).toMatch(
    /^ {2}Example Images {2}http:\/\/127\.0\.0\.1:\d+ \(KEYBRAKE_IMAGES_ORIGIN\)$/m,
  );
  const key = await issue(run, { vendor: "images" });
  upstream.next((response) => {
    response.writeHead(200, { "Content-Type": "application/json" }).end('{"id": "img_1"}');
  });

  const { status, json } = await ask(run, "POST", "/images/v1/images", { token: key.token, json: { n: 2 } });

  expect([status, json]).toEqual([200, { id: "img_1" }]);
  expect(upstream.requests[0]?.rawHeaders).toContain("Bearer images-secret-0001");
  expect(run.stdout() + run.stderr()).not.toContain("images-secret");
});
