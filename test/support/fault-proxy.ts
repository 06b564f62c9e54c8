import { type Mishap, startFaultyWay } from "./faulty-way.ts";

/**
 * What becomes of one request: its answer is lost after it was carried out, or it never arrives, or it is answered with an
 * error of this name and not carried out; `where`: only a request that has this text.
 */
export type Fault = Lost | Refusal | { readonly lost: Lost; readonly where: string };

type Lost = "reply_lost" | "never_arrives";

interface Refusal {
  readonly error: string;
  readonly status: number;
  readonly where?: string;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Operations that arrived since the last call of `fail`, such as `UpdateItem`. */
  readonly seen: readonly string[];
  /** Lets the next requests of an operation fail. `between`: runs after it was carried out, before it is known. */
  fail(operation: string, fault: Fault, times: number, between?: () => Promise<unknown>): void;
  /** Lets the next requests of an operation fail, one after the other. */
  failEach(operation: string, faults: readonly Fault[]): void;
  /** Lets requests fail beside those that were told before. */
  failAlso(operation: string, fault: Fault): void;
  /** Answers every request with an error until it is told null. */
  failAll(fault: Refusal | null): void;
  close(): Promise<void>;
}

/** Stands between the SDK and the database engine, and breaks connections on demand. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const seen: string[] = [];
  const faults: { operation: string; fault: Fault; between: () => Promise<unknown> }[] = [];
  let always: Refusal | null = null;

  const { endpoint, close } = await startFaultyWay(target, ({ operation, body }) => {
    seen.push(operation);
    const isMeant = ({ fault }: { fault: Fault }) =>
      typeof fault !== "object" || body.includes(fault.where ?? "");
    const index = faults.findIndex((fault) => fault.operation === operation && isMeant(fault));
    const [ordered] = index < 0 ? [] : faults.splice(index, 1);
    if (always !== null) return mishapOf(always);
    return ordered === undefined ? null : { ...mishapOf(ordered.fault), between: ordered.between };
  });
  return {
    endpoint,
    seen,
    fail(operation, fault, times, between = async () => {}) {
      seen.length = 0;
      faults.length = 0;
      for (let time = 0; time < times; time++) faults.push({ operation, fault, between });
    },
    failEach(operation, each) {
      seen.length = 0;
      faults.length = 0;
      for (const fault of each) faults.push({ operation, fault, between: async () => {} });
    },
    failAlso(operation, fault) {
      faults.push({ operation, fault, between: async () => {} });
    },
    failAll(fault) {
      always = fault;
    },
    close,
  };
}

function mishapOf(fault: Fault): Mishap {
  if (fault === "reply_lost") return { carriedOut: true, answer: "cut" };
  if (fault === "never_arrives") return { carriedOut: false, answer: "cut" };
  if ("lost" in fault) return mishapOf(fault.lost);
  const { error, status } = fault;
  const body = { __type: `com.amazonaws.dynamodb.v20120810#${error}`, message: "on demand" };
  return { carriedOut: false, answer: { status, body: JSON.stringify(body) } };
}
