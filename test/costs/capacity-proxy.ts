import { Agent, createServer, request } from "node:http";
import { listen } from "../../local/listen.ts";
import { at, listAt } from "../support/json.ts";

/** Units of one table as the engine tells them, by the table itself and by index. */
export interface Units {
  write: number;
  read: number;
}

/** What was asked of DynamoDB since the proxy was last reset. */
export interface Capacity {
  /** Table name -> units of the table with its indexes. */
  readonly tables: Map<string, Units>;
  /** Operation -> how often. */
  readonly operations: Map<string, number>;
}

export interface CapacityProxy {
  readonly endpoint: string;
  /** What was consumed since the last time that this was asked. */
  take(): Capacity;
  close(): Promise<void>;
}

const COUNTED = new Set(["PutItem", "UpdateItem", "TransactWriteItems", "GetItem", "BatchGetItem", "Query"]);
const WRITES = new Set(["PutItem", "UpdateItem", "TransactWriteItems"]);

/**
 * Stands between the functions and the engine, asks the engine for the units of each request, and adds them up. A condition
 * that fails costs the unit that its write would have, and the engine tells none: it counts one, or two in a transaction.
 */
export async function startCapacityProxy(engine: string): Promise<CapacityProxy> {
  const agent = new Agent({ keepAlive: true });
  let capacity: Capacity = { tables: new Map(), operations: new Map() };
  const add = (table: string, kind: keyof Units, units: number) => {
    const sum = capacity.tables.get(table) ?? { write: 0, read: 0 };
    sum[kind] += units;
    capacity.tables.set(table, sum);
  };

  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const operation = `${incoming.headers["x-amz-target"]}`.split(".").at(-1) ?? "";
      const asked: Readonly<Record<string, unknown>> = JSON.parse(Buffer.concat(chunks).toString() || "{}");
      const isCounted = COUNTED.has(operation);
      const body = JSON.stringify(isCounted ? { ...asked, ReturnConsumedCapacity: "INDEXES" } : asked);
      const headers = { ...incoming.headers, "content-length": `${Buffer.byteLength(body)}` };
      const passed = request(
        engine,
        { method: incoming.method, path: incoming.url, headers, agent },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("end", () => {
            const text = Buffer.concat(parts);
            if (isCounted) {
              capacity.operations.set(operation, (capacity.operations.get(operation) ?? 0) + 1);
              const said: unknown = JSON.parse(text.toString() || "{}");
              if (answer.statusCode === 200) countTold(operation, said);
              else countFailed(operation, asked, said);
            }
            outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
            outgoing.end(text);
          });
        },
      );
      passed.on("error", () => outgoing.destroy());
      passed.end(body);
    });
  });

  function countTold(operation: string, said: unknown): void {
    const consumed = at(said, "ConsumedCapacity");
    for (const each of Array.isArray(consumed) ? consumed : [consumed])
      add(
        `${at(each, "TableName")}`,
        WRITES.has(operation) ? "write" : "read",
        Number(at(each, "CapacityUnits")),
      );
  }

  function countFailed(operation: string, asked: Readonly<Record<string, unknown>>, said: unknown): void {
    if (!/ConditionalCheckFailed|TransactionCanceled/.test(`${at(said, "__type")}`)) return;
    if (operation !== "TransactWriteItems") {
      add(`${asked["TableName"]}`, "write", 1);
      return;
    }
    for (const item of listAt(asked, "TransactItems"))
      add(`${at(item, "Put", "TableName") ?? at(item, "Update", "TableName")}`, "write", 2);
  }

  const port = await listen(server, 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    take: () => {
      const taken = capacity;
      capacity = { tables: new Map(), operations: new Map() };
      return taken;
    },
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
