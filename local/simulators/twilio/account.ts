/** A price as Twilio writes it, a decimal number that is negative for a charge: `-0.01130`, `USD`. */
export interface Price {
  readonly text: string;
  readonly unit: string;
}

export type MessageStatus =
  | "accepted"
  | "scheduled"
  | "queued"
  | "sent"
  | "delivered"
  | "undelivered"
  | "failed"
  | "canceled";

export interface Message {
  readonly sid: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly sentMs: number | null;
  readonly to: string;
  readonly from: string | null;
  readonly messagingServiceSid: string | null;
  readonly body: string;
  /** How many the carrier is handed, whatever the wire says yet. */
  readonly segments: number;
  readonly mediaCount: number;
  /** When a scheduled one is to be sent. */
  readonly sendAtMs: number | null;
  readonly status: MessageStatus;
  readonly price: Price | null;
  /** Deleted ones are gone from the API, and stay in the books. */
  readonly deleted: boolean;
}

export type CallStatus = "queued" | "completed" | "busy" | "no-answer" | "failed" | "canceled";

export interface Call {
  readonly sid: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly to: string;
  readonly from: string;
  /** Twilio hangs up after so many seconds. */
  readonly timeLimitS: number;
  readonly status: CallStatus;
  readonly durationS: number | null;
  readonly price: Price | null;
}

export interface Verification {
  readonly sid: string;
  readonly serviceSid: string;
  readonly to: string;
  readonly channel: string;
  readonly status: "pending" | "approved" | "canceled";
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly sends: readonly { readonly sid: string; readonly channel: string; readonly sentMs: number }[];
  readonly checks: number;
}

/** What is charged at once, at a fixed price. */
export interface FixedCharge {
  readonly id: string;
  readonly kind: "verification" | "lookup";
  readonly to: string;
  readonly count: number;
  readonly costMicroUsd: number;
  readonly createdMs: number;
}

/** All that the vendor knows of the one customer it has. Objects are replaced, never changed. */
export interface Account {
  readonly sid: string;
  readonly nowMs: () => number;
  /** After so long messages and calls deliver themselves; undefined waits for an order. */
  readonly deliverAfterMs: number | undefined;
  readonly messages: Map<string, Message>;
  readonly calls: Map<string, Call>;
  readonly verifications: Map<string, Verification>;
  readonly fixedCharges: FixedCharge[];
}

export function openAccount(settings: Pick<Account, "sid" | "nowMs" | "deliverAfterMs">): Account {
  return {
    ...settings,
    messages: new Map(),
    calls: new Map(),
    verifications: new Map(),
    fixedCharges: [],
  };
}
