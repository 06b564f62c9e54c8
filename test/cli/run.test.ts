import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli, type Said, startCli, variablesOf } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { at, textAt } from "../support/json.ts";
import { ask, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type OwnUpstream, type Script, startOwnUpstream } from "../support/own-upstream.ts";

/** Guarantees that a job under `keybrake run` has a key of its own, ends as it would by itself, and leaves no key behind. */

let run: OwnRun;
let folder: string;
beforeAll(async () => {
  run = await startOwn();
  folder = await mkdtemp(join(tmpdir(), "keybrake-run-"));
});
afterAll(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

const RUN = ["run", "--vendor", "stripe", "--cap", "50"];

const keyIdIn = (text: string): string => /key_[A-Za-z0-9]+/.exec(text)?.[0] ?? "";

async function statusOf(keyId: string): Promise<unknown> {
  const { json } = await ask(run, "GET", `/vault/keys/${keyId}`, { token: run.apiKey });
  return at(json, "status");
}

async function expectRevoked(said: Said): Promise<void> {
  expect(await statusOf(keyIdIn(said.stderr))).toBe("revoked");
}

/** A job in JavaScript, as a file. */
async function job(name: string, code: string): Promise<readonly string[]> {
  const file = join(folder, name);
  await writeFile(file, code);
  return [process.execPath, file];
}

test("a job that exits with 3 gives 3, and its key is revoked", async () => {
  const said = await cli(
    [...RUN, "--label", "nightly/1", "--", "sh", "-c", "echo done; exit 3"],
    variablesOf(run),
  );

  expect(said).toMatchObject({ code: 3, stdout: "done\n" });
  expect(said.stderr).toMatch(
    /^keybrake: (key_\w+) for stripe, \$50\.00 in 24 hours, until \S+ \S+Z\nkeybrake: \1 revoked, \$0\.00 used\n$/,
  );
  await expectRevoked(said);
});

test("--quiet says nothing", async () => {
  expect(await cli([...RUN, "--quiet", "--", "true"], variablesOf(run))).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
});

test.each([
  ["a program that there is not", ["no-such-program"], 127, /no-such-program: no such program/],
  ["a file that is no program", [import.meta.dirname], 126, / cannot be started \(EACCES\)/],
])("%s gives the code of a shell, and its key is revoked", async (_, command, code, message) => {
  const said = await cli([...RUN, "--", ...command], variablesOf(run));

  expect(said).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
  await expectRevoked(said);
});

test.each([
  ["no job", RUN, {}, 102],
  ["no cap", ["run", "--vendor", "stripe", "--", "true"], {}, 102],
  ["a wrong API key", [...RUN, "--", "true"], { KEYBRAKE_API_KEY: "another-key" }, 104],
  ["no Keybrake", [...RUN, "--", "true"], { KEYBRAKE_URL: "http://127.0.0.1:9" }, 106],
])("with %s the job is not started, and the code is none of a job", async (_, rest, other, code) => {
  const environment = { ...variablesOf(run), ...other };

  expect(await cli(rest, environment)).toMatchObject({
    code,
    stdout: "",
    stderr: expect.stringMatching(/^keybrake: /),
  });
});

describe("signals", () => {
  const TELLS = `
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
      process.on(signal, () => { console.log(signal); process.exit(7); });
    console.log("ready");
    setInterval(() => {}, 1000);`;

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s reaches the job, whose own code is given, and its key is revoked",
    async (signal) => {
      const running = startCli([...RUN, "--", ...(await job("tells.mjs", TELLS))], variablesOf(run));
      await eventually(() => expect(running.stdout()).toBe("ready\n"));
      running.child.kill(signal);
      const said = await running.ended;

      expect(said).toMatchObject({ code: 7, stdout: `ready\n${signal}\n` });
      await expectRevoked(said);
    },
  );

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("a job that %s kills gives %s, and its key is revoked", async (signal, code) => {
    const running = startCli([...RUN, "--", "sh", "-c", "echo ready; exec sleep 60"], variablesOf(run));
    await eventually(() => expect(running.stdout()).toBe("ready\n"));
    running.child.kill(signal);
    const said = await running.ended;

    expect(said).toMatchObject({ code });
    await expectRevoked(said);
  });

  test("a job that is killed from elsewhere gives 137, and its key is revoked", async () => {
    const said = await cli([...RUN, "--", "sh", "-c", "kill -9 $$"], variablesOf(run));

    expect(said).toMatchObject({ code: 137 });
    await expectRevoked(said);
  });
});

describe("before the job, and after it", () => {
  let upstream: OwnUpstream;
  beforeAll(async () => {
    upstream = await startOwnUpstream();
  });
  afterAll(() => upstream.close());

  const KEY = JSON.stringify({
    id: "key_0123456789abcdef",
    vault_key: "kbvk0123456789",
    vendor: "stripe",
    daily_usd_cap: 50,
    expires_at: "2026-11-22T23:11:56.494+00:00",
    spent_usd: 0.75,
    reserved_usd: 0.25,
  });
  const answers =
    (status: number, body: string): Script =>
    (response) => {
      response.writeHead(status).end(body);
    };
  const environment = () => ({ KEYBRAKE_URL: upstream.origin, KEYBRAKE_API_KEY: "an-api-key" });
  const targets = () => upstream.requests.map(({ method, target }) => `${method} ${target}`);

  test("a signal while the key is issued starts no job, and revokes the key that comes", async () => {
    upstream.forget();
    let answer = () => {};
    upstream.next(
      (response) => {
        answer = () => {
          response.writeHead(201).end(KEY);
        };
      },
      answers(200, KEY),
    );
    const running = startCli([...RUN, "--", "echo", "started"], environment());
    await eventually(() => expect(targets()).toEqual(["POST /vault/keys"]));
    running.child.kill("SIGTERM");
    await eventually(() => expect(running.stderr()).toBe("keybrake: SIGTERM: the job is not started\n"));
    answer();

    expect(await running.ended).toMatchObject({ code: 143, stdout: "" });
    expect(targets()).toEqual(["POST /vault/keys", "POST /vault/keys/self/revoke"]);
  });

  test("a revocation that fails is tried again", async () => {
    upstream.forget();
    upstream.next(
      answers(201, KEY),
      answers(503, '{"error":{"code":"ledger_unavailable","message":"not now"}}'),
      (response) => {
        response.socket?.destroy();
      },
      answers(200, KEY),
    );

    const said = await cli([...RUN, "--", "sh", "-c", "exit 4"], environment());

    expect(said).toMatchObject({ code: 4, stderr: expect.stringContaining("revoked, $1.00 used") });
    expect(targets().slice(1)).toEqual(Array(3).fill("POST /vault/keys/self/revoke"));
  });

  test("a key that cannot be revoked is told, with what to do, and the code stays the job's", async () => {
    upstream.next(answers(201, KEY), answers(500, '{"error":{"code":"internal","message":"a fault"}}'));

    const said = await cli([...RUN, "--quiet", "--", "sh", "-c", "exit 4"], environment());

    expect(said).toEqual({
      code: 4,
      stdout: "",
      stderr:
        "keybrake: key_0123456789abcdef is not revoked: a fault; it expires at 2026-11-22 23:11:56Z; " +
        "`keybrake revoke key_0123456789abcdef` revokes it\n",
    });
  });
});

describe("the job's environment", () => {
  const PRINTS = "console.log(JSON.stringify(process.env));";

  async function environmentOf(vendor: string, own: Readonly<Record<string, string>>) {
    const rest = ["run", "--vendor", vendor, "--cap", "5", "--", ...(await job("prints.mjs", PRINTS))];
    const { stdout, stderr } = await cli(rest, { ...variablesOf(run), ...own });
    const variables: unknown = JSON.parse(stdout);
    return { variables, stderr, key: textAt(variables, "VAULT_KEY") };
  }

  test("has the key and the address, keeps the rest, and has no secret that could spend more", async () => {
    const { variables, stderr, key } = await environmentOf("stripe", {
      LANG: "C",
      STRIPE_SECRET_KEY: "sk_live_0123456789",
      OUR_LIVE_KEY: "sk_live_0123456789",
      SAME_AS_API_KEY: run.apiKey,
      STRIPE_WEBHOOK_SECRET: "whsec_0123456789",
    });

    expect(key).toMatch(/^kbvk/);
    expect(variables).toEqual({
      PATH: process.env["PATH"],
      LANG: "C",
      STRIPE_WEBHOOK_SECRET: "whsec_0123456789",
      KEYBRAKE_URL: run.baseUrl,
      KEYBRAKE_KEY_ID: keyIdIn(stderr),
      VAULT_KEY: key,
      STRIPE_VAULT_KEY: key,
      STRIPE_SECRET_KEY: key,
      STRIPE_API_KEY: key,
      STRIPE_BASE_URL: `${run.baseUrl}/stripe`,
      STRIPE_API_BASE: `${run.baseUrl}/stripe`,
    });
    expect(stderr).toContain("keybrake: taken from the job's environment: OUR_LIVE_KEY, SAME_AS_API_KEY\n");
  });

  test("of Twilio has the placeholder account, and nothing that changes the SDK's host", async () => {
    const { variables, key } = await environmentOf("twilio", {
      TWILIO_ACCOUNT_SID: `AC${"1".repeat(32)}`,
      TWILIO_AUTH_TOKEN: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
      TWILIO_API_SECRET: "another-secret",
      TWILIO_REGION: "ie1",
    });

    expect(variables).toMatchObject({ TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`, TWILIO_AUTH_TOKEN: key });
    expect(variables).not.toHaveProperty("TWILIO_API_SECRET");
    expect(variables).not.toHaveProperty("TWILIO_REGION");
  });

  test.runIf(process.platform === "linux")("no process has a secret in its arguments", async () => {
    const looks = `
      import { readdirSync, readFileSync } from "node:fs";
      const lines = readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).flatMap((pid) => {
        try { return [readFileSync(\`/proc/\${pid}/cmdline\`, "utf8")]; } catch { return []; }
      });
      const own = lines.filter((line) => line.includes("looks.mjs"));
      console.log(own.length > 1, lines.some((line) => line.includes(process.env.VAULT_KEY)));`;
    const { stdout } = await cli([...RUN, "--", ...(await job("looks.mjs", looks))], variablesOf(run));

    expect(stdout).toBe("true false\n");
  });
});

/** Guarantees what docs/cli.md says of the SDKs: these jobs are as people write them, and name no key and no address. */
describe("real SDKs", () => {
  const REPOSITORY = join(import.meta.dirname, "..", "..");
  const from = (name: string) => JSON.stringify(join(REPOSITORY, "node_modules", name));

  test.each(["resend", "resend-6", "resend-4", "resend-2"])("%s needs no change", async (name) => {
    const code = `
      import { createRequire } from "node:module";
      const { Resend } = createRequire(import.meta.url)(${from(name)});
      const { data, error } = await new Resend().emails.send({
        from: "Shop <shop@example.com>", to: "ann@example.org", subject: "Hello", text: "Hello" });
      console.log(error ?? "sent", data?.id !== undefined);`;
    const rest = ["run", "--vendor", "resend", "--cap", "1", "--", ...(await job(`${name}.mjs`, code))];

    expect(await cli(rest, variablesOf(run))).toMatchObject({ code: 0, stdout: "sent true\n" });
  });

  test.each(["twilio", "twilio-5", "twilio-4"])(
    "%s takes the key, and the address by one line",
    async (name) => {
      const code = `
      import { createRequire } from "node:module";
      const client = createRequire(import.meta.url)(${from(name)})();
      client.api.baseUrl = process.env.TWILIO_BASE_URL;
      const message = await client.messages.create({ to: "+15555550100", from: "+15005550006", body: "Hello" });
      console.log(message.sid.slice(0, 2));`;
      const rest = ["run", "--vendor", "twilio", "--cap", "1", "--", ...(await job(`${name}.mjs`, code))];

      expect(await cli(rest, variablesOf(run))).toMatchObject({ code: 0, stdout: "SM\n" });
    },
  );

  test.each(["stripe", "stripe-22", "stripe-17", "stripe-12"])("%s is given both", async (name) => {
    const code = `
      import { createRequire } from "node:module";
      const Stripe = createRequire(import.meta.url)(${from(name)});
      const { hostname: host, port } = new URL(process.env.KEYBRAKE_URL);
      const stripe = new Stripe(process.env.STRIPE_SECRET_KEY, { host, port, protocol: "http", telemetry: false });
      const intent = await stripe.paymentIntents.create({ amount: 1999, currency: "usd" });
      console.log(intent.amount);`;
    const rest = [...RUN, "--", ...(await job(`${name}.mjs`, code))];

    expect(await cli(rest, variablesOf(run))).toMatchObject({
      code: 0,
      stdout: "1999\n",
      stderr: expect.stringMatching(/revoked, \$19\.99 used/),
    });
  });

  test.each(["stripe", "stripe-22", "stripe-17", "stripe-12"])(
    "%s reads no key from the environment by itself",
    async (name) => {
      const code = `
      import { createRequire } from "node:module";
      const Stripe = createRequire(import.meta.url)(${from(name)});
      const { hostname: host, port } = new URL(process.env.KEYBRAKE_URL);
      try {
        const stripe = new Stripe(undefined, { host, port, protocol: "http", telemetry: false });
        console.log((await stripe.paymentIntents.create({ amount: 1999, currency: "usd" })).amount);
      } catch {
        console.log("no key");
      }`;
      const rest = [...RUN, "--", ...(await job(`${name}-alone.mjs`, code))];

      expect(await cli(rest, variablesOf(run))).toMatchObject({ code: 0, stdout: "no key\n" });
    },
  );
});
