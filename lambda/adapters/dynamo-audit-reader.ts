import { type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { eventFrom } from "../audit-wire.ts";
import { type AuditEvent, rowOf } from "../domain/audit-event.ts";
import { fromUsdText, type MicroUsd, NOTHING, plus } from "../domain/money.ts";
import { isoTime } from "../domain/time.ts";
import type { AuditIndex, AuditPage, AuditReader, HeldBudget, WantedRows } from "../ports/audit.ts";
import { keyTotals, windowTotals } from "./dynamo-audit-log.ts";
import type { Item } from "./vault-items/codec.ts";

/** No row has more events than this: a query reads that many more, so that its last row is whole. */
const EVENTS_OF_A_ROW_MAX = 10;

/** Rows and sums of the Audit table. They follow the calls by a moment. */
export class DynamoAuditReader implements AuditReader, HeldBudget {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async page({ index, fromMs, toMs, before, limit }: WantedRows): Promise<AuditPage> {
    const { name, key, value } = placeOf(index);
    const upper = before ?? isoTime(toMs);
    const groups: { position: string; events: AuditEvent[] }[] = [];
    let startKey: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          ...(name === null ? {} : { IndexName: name }),
          KeyConditionExpression:
            name === null ? "#key = :key" : "#key = :key AND at_id BETWEEN :from AND :to",
          ...(name === null ? { FilterExpression: "at_id BETWEEN :from AND :to" } : {}),
          ExpressionAttributeNames: { "#key": key },
          ExpressionAttributeValues: {
            ":key": { S: value },
            ":from": { S: isoTime(fromMs) },
            ":to": { S: upper },
          },
          ScanIndexForward: false,
          Limit: limit * 3 + EVENTS_OF_A_ROW_MAX,
          ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
        }),
      );
      for (const item of Items) add(groups, item, upper);
      startKey = LastEvaluatedKey;
    } while (startKey !== undefined && (name === null || groups.length <= limit));

    // By call the table sorts by attempt, and every event has been read; by an index the last row may lack some.
    if (name === null) groups.sort((a, b) => (a.position < b.position ? 1 : -1));
    const whole = groups.slice(0, limit);
    const more = groups.length > limit || startKey !== undefined;
    return {
      rows: whole.map(({ position, events }) => ({ position, row: rowOf(events) })),
      next: more ? (whole.at(-1)?.position ?? null) : null,
    };
  }

  async held(keyId: string, window: number): Promise<{ window: MicroUsd; total: MicroUsd }> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :windows)",
        ExpressionAttributeValues: { ":pk": { S: keyTotals(keyId) }, ":windows": { S: "WINDOW#" } },
      }),
    );
    let total = NOTHING;
    let inWindow = NOTHING;
    for (const item of Items) {
      const held = fromUsdText(item["held_usd"]?.N ?? "0");
      total = plus(total, held);
      if (item["sk"]?.S === windowTotals(window)) inWindow = held;
    }
    return { window: inWindow, total };
  }
}

/** Gathers an event with those of its row. `upper` itself is not included: it is a row already shown, or `to`. */
function add(groups: { position: string; events: AuditEvent[] }[], item: Item, upper: string): void {
  const attributes = unmarshall(item, { wrapNumbers: (text: string) => text });
  const { pk, sk, at_id: position } = attributes;
  if (typeof pk !== "string" || typeof sk !== "string" || typeof position !== "string")
    throw new Error("an audit event has no key");
  const attemptId = typeof attributes["attempt"] === "string" ? attributes["attempt"] : null;
  const row = attemptId === null ? position : position.slice(0, position.lastIndexOf("#"));
  if (row >= upper) return;
  const group = groups.find((candidate) => candidate.position === row);
  const event = eventFrom(pk, attemptId, attributes);
  if (group === undefined) groups.push({ position: row, events: [event] });
  else group.events.push(event);
}

/** The table itself answers by call; the rest have an index each (lib/table-schemas.ts). */
function placeOf(index: AuditIndex): { name: string | null; key: string; value: string } {
  switch (index.kind) {
    case "call":
      return { name: null, key: "pk", value: index.callId };
    case "key":
      return { name: "by_key", key: "key_id", value: index.keyId };
    case "label":
      return { name: "by_label", key: "agent_run_label", value: index.label };
    case "label_group":
      return { name: "by_label_group", key: "label_group", value: index.group };
    case "vendor_day":
      return { name: "by_vendor_day", key: "vendor_day", value: `${index.vendor}#${index.day}` };
  }
}
