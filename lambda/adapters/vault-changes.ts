import type { DynamoDBRecord } from "aws-lambda";
import { type Balance, tightestCap, windowAt } from "../domain/balance.ts";
import { crossingsOf } from "../domain/cap-crossing.ts";
import { microUsd } from "../domain/money.ts";
import type { Stop } from "../domain/stop.ts";
import { STOPS_KEY } from "../layout.ts";
import type { VaultChange } from "../ports/vault-change.ts";
import { PLACE as API_KEY_PLACE, readApiKeyItem } from "./vault-items/api-key-item.ts";
import { type LastWrite, readBalanceItem } from "./vault-items/balance-item.ts";
import { readCallItem } from "./vault-items/call-item.ts";
import type { Item } from "./vault-items/codec.ts";
import { isDue } from "./vault-items/due-item.ts";
import { isListed } from "./vault-items/listed-item.ts";
import { LOGIN_KIND } from "./vault-items/login-item.ts";
import { readPolicyItem } from "./vault-items/policy-item.ts";
import { BY_TIME, isStops, lastStopsWriteIn, readableStopsIn } from "./vault-items/stop-item.ts";

/** An image as Lambda hands it over is the SDK's item but for its type; absent where there is none. */
const itemOf = (image: unknown): Item | null => (image === undefined ? null : (image as Item));

/**
 * Reads one record of the Vault table's stream. A removal (by TTL) says nothing; every write of a balance is told by its
 * `last`, so one that changed nothing is passed over. Throws on an item that is none of ours.
 */
export function changeFrom({ dynamodb }: DynamoDBRecord): VaultChange {
  const before = itemOf(dynamodb?.OldImage);
  const after = itemOf(dynamodb?.NewImage);
  if (after === null) return { kind: "ignored" };
  const sortKey = dynamodb?.Keys?.["sk"]?.S ?? "";
  if (sortKey === "POLICY")
    return before === null ? { kind: "issued", policy: readPolicyItem(after) } : { kind: "ignored" };
  if (sortKey === "API_KEY")
    return before === null ? { kind: "api_key_issued", apiKey: readApiKeyItem(after) } : { kind: "ignored" };
  const writtenS = dynamodb?.ApproximateCreationDateTime;
  if (sortKey === "BALANCE")
    return balanceChange(before, after, writtenS === undefined ? Infinity : writtenS * 1000);
  if (sortKey === "CALL")
    return {
      kind: "call",
      before: before === null ? null : readCallItem(before),
      after: readCallItem(after),
    };
  if (isStops(dynamodb?.Keys?.["pk"]?.S ?? ""))
    return sortKey === STOPS_KEY.sk
      ? stopsChange(before, after, (dynamodb?.ApproximateCreationDateTime ?? 0) * 1000)
      : { kind: "ignored" };
  const pk = dynamodb?.Keys?.["pk"]?.S ?? "";
  if (isListed(pk) || isDue(pk)) return { kind: "ignored" };
  if (IGNORED.some((kind) => sortKey.startsWith(kind))) return { kind: "ignored" };
  throw new Error(`the item kind ${JSON.stringify(sortKey.slice(0, 40))} is not known`);
}

/** What the sort keys of items begin with that no row tells of. */
const IGNORED = ["OBJECT#", "ISSUE", "LAYOUT", LOGIN_KIND, API_KEY_PLACE];

/** `writtenMs`: the time by the stream, for what was taken off by hand without saying who did it. */
function stopsChange(before: Item | null, after: Item, writtenMs: number): VaultChange {
  const [were, are] = [before === null ? [] : readableStopsIn(before), readableStopsIn(after)];
  const isIn = (stops: typeof are) => (stop: Stop) => stops.some(({ id }) => id === stop.id);
  const { by, atMs } = lastStopsWriteIn(after) ?? { by: "unknown", atMs: writtenMs };
  const ordered = are.filter((stop) => !isIn(were)(stop));
  const gone = were
    .filter((stop) => !isIn(are)(stop))
    .map((stop) => ({ stop, by, atMs: by === BY_TIME ? stop.untilMs : atMs }));
  return ordered.length + gone.length === 0 ? { kind: "ignored" } : { kind: "stops", ordered, gone };
}

/** `writtenMs`: when it landed, by the clock of the table. */
function balanceChange(beforeItem: Item | null, item: Item, writtenMs: number): VaultChange {
  const after = readBalanceItem(item);
  const before = beforeItem === null ? null : readBalanceItem(beforeItem);
  if (before === null || before.writes === after.writes) return { kind: "ignored" };
  const { last } = after;
  const window = "window" in last ? last.window : windowAt(after.issuedAtMs, last.atMs);
  const crossed = crossingsOf(before, after, window, last.atMs);
  const written = {
    keyId: after.keyId,
    number: after.writes,
    id: "window" in last ? last.id : null,
    isCorrection: last.op === "back" || last.op === "force",
    writtenMs,
    previousMs: before.last.atMs,
  };
  return { ...writeOf(after, last), written, ...(crossed.length > 0 && { crossed }) };
}

/** What the last write of a balance means for the audit log. */
function writeOf(after: Balance, last: LastWrite): VaultChange {
  const { keyId } = after;
  if (last.op === "change" || last.op === "revoke") {
    return { kind: last.op === "change" ? "changed" : "revoked", keyId, after, atMs: last.atMs, by: last.by };
  }
  // The draws on the ancestors of a key are the same reservation: they tell of it only where nothing else may.
  if (last.op !== "draw" || !(last.isLeaf || last.leafId !== null)) return { kind: "ignored" };
  const { id: attemptId, atMs, window, callId, method, path } = last;
  const remaining = last.isLeaf ? (tightestCap(after, atMs)?.remaining ?? null) : null;
  return {
    kind: "drawn",
    keyId: last.leafId ?? keyId,
    draw: { callId, attemptId, atMs, window, amount: microUsd(last.amount), method, path, remaining },
  };
}
