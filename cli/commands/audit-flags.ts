import { LABEL, textFlag, VENDOR } from "../flags.ts";
import { keyIdFlag } from "./key-id.ts";

/** Filters over the audit log, as `audit` and `tail` take them. */
export interface AuditFlags {
  readonly label?: string;
  readonly key?: string;
  readonly call?: string;
  readonly vendor?: string;
  readonly state?: (typeof STATES)[number];
  readonly decision?: (typeof DECISIONS)[number];
  readonly from?: string;
  readonly to?: string;
}

const STATES = ["open", "settled", "released", "unresolved", "denied", "free"] as const;
const DECISIONS = ["allowed", "denied"] as const;

export const AUDIT_FILTERS = {
  label: LABEL,
  key: keyIdFlag("id of a key"),
  vendor: VENDOR,
  state: { kind: "enum", values: STATES, optional: true, brief: "what became of the attempt" },
  decision: { kind: "enum", values: DECISIONS, optional: true, brief: "what Keybrake decided" },
} as const;

export const AUDIT_FLAGS = {
  ...AUDIT_FILTERS,
  call: textFlag("id of a call, from the header Keybrake-Call-Id", "CALL"),
  from: textFlag("first time, such as 2026-11-22 or 2026-11-22T10:00:00Z", "TIME"),
  to: textFlag("time after the last", "TIME"),
} as const;

export const auditQuery = (flags: AuditFlags): Readonly<Record<string, string | undefined>> => ({
  agent_run_label: flags.label,
  key_id: flags.key,
  call_id: flags.call,
  vendor: flags.vendor,
  state: flags.state,
  decision: flags.decision,
  from: flags.from,
  to: flags.to,
});
