import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DynamoAnnouncements } from "../../lambda/adapters/dynamo-announcements.ts";
import { EventBridge, eventBridgeClient } from "../../lambda/adapters/event-bridge.ts";
import type { OutgoingEvent } from "../../lambda/ports/announcements.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { type LocalEventBridge, startEventBridge } from "../../local/aws/event-bridge.ts";

/** Guarantees that an event is on the bus or comes back with why, and that what waits is found until it was sent. */

const eventNamed = (id: string, detail = JSON.stringify({ id })): OutgoingEvent => ({
  id,
  type: "key.revoked",
  detail,
});
const eventsNamed = (count: number) => Array.from({ length: count }, (_, n) => eventNamed(`event-${n}`));
const idsOf = (events: readonly { readonly id?: unknown }[]) => events.map(({ id }) => String(id)).toSorted();

describe("the bus", () => {
  let local: LocalEventBridge;
  beforeEach(async () => {
    local = await startEventBridge("bus", "known-to-this-run", () => {});
    vi.stubEnv("AWS_REGION", "us-east-1");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "known-to-this-run");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "any");
    vi.stubEnv("AWS_ENDPOINT_URL_EVENTBRIDGE", local.endpoint);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await local.close();
  });

  test("gets more events than one request takes", async () => {
    const events = eventsNamed(23);
    const sender = new EventBridge(eventBridgeClient(), "bus", "keybrake");
    expect(await sender.send(events)).toEqual({ unsent: [], cause: null });
    expect(idsOf(local.events())).toEqual(idsOf(events));
  });

  test("gives back the entries that it refuses alone, with its reason", async () => {
    const events = [eventNamed("good"), eventNamed("bad", "no JSON"), eventNamed("good too")];
    const { unsent, cause } = await new EventBridge(eventBridgeClient(), "bus", "keybrake").send(events);
    expect(idsOf(unsent)).toEqual(["bad"]);
    expect(String(cause)).toContain("MalformedDetail");
    expect(idsOf(local.events())).toEqual(["good", "good too"]);
  });

  test("gives all back to whoever it does not know, and when nobody is there", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "a stranger");
    const sender = new EventBridge(eventBridgeClient(), "bus", "keybrake");
    const refused = await sender.send(eventsNamed(2));
    expect([refused.unsent.length, String(refused.cause)]).toEqual([
      2,
      expect.stringContaining("security token"),
    ]);

    vi.stubEnv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:1");
    const gone = await new EventBridge(eventBridgeClient(), "bus", "keybrake").send(eventsNamed(12));
    expect(gone.unsent).toHaveLength(12);
    expect(gone.cause).toBeInstanceOf(Error);
  });

  test("of another name has none of them", async () => {
    await new EventBridge(eventBridgeClient(), "other", "keybrake").send(eventsNamed(1));
    expect(local.events()).toEqual([]);
  });
});

describe("the register", () => {
  let engine: LocalDynamoDb;
  let client: DynamoDBClient;
  beforeAll(async () => {
    engine = await startDynamoDb();
    client = engine.client;
  });
  afterAll(() => engine.close());
  let nowMs = 1_795_323_600_000;
  const register = () => new DynamoAnnouncements(client, "keybrake-audit", { now: () => nowMs++ });

  test("knows what was marked, twice too", async () => {
    expect(await register().marked(["a", "b"])).toEqual(new Set());
    await register().mark(["a"]);
    await register().mark(["a", "c"]);
    expect(await register().marked(["a", "b", "c"])).toEqual(new Set(["a", "c"]));
  });

  test("gives what waits, oldest first, until it was sent", async () => {
    for (const event of eventsNamed(3)) await register().keep([event]);
    const kept = await register().kept(10);
    expect(kept).toMatchObject(eventsNamed(3));
    expect(await register().kept(2)).toHaveLength(2);
    await register().drop(kept.slice(0, 1));
    expect(await register().kept(10)).toEqual(kept.slice(1));
    await register().drop(kept.slice(1));
    expect(await register().kept(10)).toEqual([]);
  });
});
