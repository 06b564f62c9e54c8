import type { AuditEvent } from "../lambda/domain/audit-event.ts";
import type { AuditFields } from "../lambda/domain/audit-fields.ts";
import { UNCAPPED } from "../lambda/domain/balance.ts";
import { dollars, type MicroUsd } from "../lambda/domain/money.ts";
import { STATUS_BY_CODE } from "../lambda/domain/problem.ts";
import type { Secrets } from "../lambda/domain/secrets.ts";
import { isoTime } from "../lambda/domain/time.ts";

/** What a line of the run is about: money, a refusal, or neither. */
export type Tone = "money" | "refused" | "plain";

/** One decision, for a person. Columns that are not known are null. */
export interface Decision {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly keyId: string | null;
  readonly label: string | null;
  readonly outcome: string;
  readonly tone: Tone;
}

/**
 * What an event of the audit log says, or null where it decides nothing yet: a reservation and an open attempt are followed
 * by their outcome.
 */
export function decisionOf({ event, fields }: AuditEvent): Decision | null {
  const told = outcomeOf(event, fields);
  if (told === null) return null;
  const [tone, outcome] = told;
  const isCall = fields.type === "call";
  return {
    atMs: fields.atMs,
    method: isCall ? (fields.method ?? "") : "KEY",
    path: isCall ? `/${fields.vendor}${fields.path ?? ""}` : event.replace(/^key\./, ""),
    keyId: fields.keyId,
    label: fields.label,
    outcome,
    tone,
  };
}

function outcomeOf(event: AuditEvent["event"], fields: AuditFields): readonly [Tone, string] | null {
  switch (event) {
    case "open":
    case "reserved":
      return null;
    case "settled":
      return ["money", sentence(charged("charged", fields), left(fields), observed(fields))];
    case "late_price":
      return ["money", sentence(charged("late price:", fields), left(fields))];
    case "released":
      return ["plain", sentence("not charged", because(fields), left(fields), observed(fields))];
    case "unresolved":
      return [
        "refused",
        sentence(
          `UNRESOLVED, ${usd(fields.requested)} held`,
          because(fields),
          left(fields),
          observed(fields),
        ),
      ];
    case "denied":
      return ["refused", sentence(denial(fields), needs(fields), left(fields))];
    case "free":
      return ["plain", sentence("free", observed(fields))];
    case "key.issued":
      return ["plain", sentence(fields.vendor, caps(fields), until(fields))];
    case "key.changed":
      return ["plain", sentence(caps(fields), until(fields), `by ${fields.by}`)];
    case "api_key.issued":
      return ["plain", `by ${fields.by}`];
    case "key.revoked":
    case "api_key.revoked":
      return ["refused", sentence(`by ${fields.by}`, fields.reason ?? null)];
    case "run.stopped":
      return ["refused", sentence(`by ${fields.by}`, fields.reason ?? null)];
    case "run.resumed":
      return ["plain", `by ${fields.by}`];
  }
}

const sentence = (...parts: readonly (string | null)[]): string =>
  parts.filter((part) => part !== null && part !== "").join(", ");

const usd = (amount: MicroUsd | undefined): string => (amount === undefined ? "$?" : dollars(amount));

const charged = (verb: string, { cost, overrun, replayed }: AuditFields): string =>
  `${verb} ${usd(cost)}${overrun === true ? " OVERRUN" : ""}${replayed === true ? " (a repeat)" : ""}`;

const left = ({ remaining }: AuditFields): string | null =>
  remaining === undefined || remaining === null ? null : `left ${dollars(remaining)}`;

/** What a key that only observes would have refused. */
const observed = ({ wouldDeny }: AuditFields): string | null =>
  wouldDeny === undefined || wouldDeny === null ? null : `WOULD DENY ${wouldDeny}`;

const needs = ({ requested }: AuditFields): string | null =>
  requested === undefined || requested === 0n ? null : `needs ${dollars(requested)}`;

const because = ({ vendor, vendorStatus, reason }: AuditFields): string | null =>
  vendorStatus === undefined || vendorStatus === null
    ? (reason ?? null)
    : `${vendor} answered ${vendorStatus}`;

const STATUSES: Readonly<Record<string, number>> = STATUS_BY_CODE;

const denial = ({ reason }: AuditFields): string =>
  `DENIED ${(reason && STATUSES[reason]) ?? ""} ${reason ?? ""}`.replace(/ +/g, " ").trimEnd();

const CAPS = [
  ["dailyCap", "a day"],
  ["totalCap", "in total"],
  ["perCallCap", "a call"],
] as const;

const caps = (fields: AuditFields): string =>
  CAPS.flatMap(([name, words]) => {
    const cap = fields[name];
    return cap === undefined || cap >= UNCAPPED ? [] : [`${dollars(cap)} ${words}`];
  }).join(", ");

const until = ({ expiresAtMs }: AuditFields): string | null =>
  expiresAtMs === undefined ? null : `until ${isoTime(expiresAtMs).slice(0, 19).replace("T", " ")}Z`;

const PATH_WIDTH = 34;
const PATH_WIDTH_MAX = 60;
const KEY_WIDTH = 20;
const LABEL_WIDTH = 20;
const LABEL_WIDTH_MAX = 40;

const COLOURS: Readonly<Record<Tone, string>> = { money: "32", refused: "31", plain: "2" };

/**
 * One line in aligned columns: time (UTC, as in the audit log), method, path, key id, label, outcome. Nothing in it moves
 * a terminal's cursor, and nothing in it looks like a secret. `isColoured`: the outcome alone.
 */
export function decisionLine(decision: Decision, isColoured: boolean, { redact }: Secrets): string {
  const plain = (text: string): string => printable(redact(text));
  const { atMs, method, path, keyId, label, outcome, tone } = decision;
  const columns = [
    `${isoTime(atMs).slice(11, 19)}Z`,
    plain(method).slice(0, 10).padEnd(6),
    shortened(plain(path), PATH_WIDTH_MAX).padEnd(PATH_WIDTH),
    plain(keyId ?? "-").padEnd(KEY_WIDTH),
    shortened(plain(label ?? "-"), LABEL_WIDTH_MAX).padEnd(LABEL_WIDTH),
  ].join("  ");
  const told = plain(outcome);
  return `${columns}  ${isColoured ? `\u001b[${COLOURS[tone]}m${told}\u001b[0m` : told}`;
}

/** A text as it may be printed: nothing in it moves a terminal's cursor. */
export const printable = (text: string): string => text.replace(UNSEEN, "?");

/** Control characters, and those that turn the direction of a text: what is shown must be what is there. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A long text without its middle: the beginning says what it is, the end which one. */
function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const kept = (lengthMax - 1) / 2;
  return `${text.slice(0, Math.ceil(kept))}…${text.slice(text.length - Math.floor(kept))}`;
}
