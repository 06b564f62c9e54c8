import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandOutput,
  PutItemCommand,
  type QueryCommandOutput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Process, World } from "./world.ts";

/** Sends of the SDK's `standard` retry mode, the first included. */
const SENDS_MAX = 3;

/** How likely each further item of a transaction meets another transaction, where one does. */
const MEETS_TOO = 0.2;

/** How a write ended at the table. */
type Ended =
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "refused"; readonly cause: unknown };

/**
 * The client of the Audit table as one process has it: the SDK over a network that loses and delays.
 *
 * `hasTokens`: whether a transaction carries a token, as the SDK gives it, so that a repeat of one that landed is answered
 * as the first was. The local engine is sent none.
 */
export function faultyAuditTable(
  world: World,
  process: Process,
  table: DynamoDBClient,
  hasTokens: boolean,
): DynamoDBClient {
  const send = (command: unknown) => (table as unknown as Sends).send(command);

  /** Another transaction is under way with some of the items. Nothing is written, and each item says what was wrong with it. */
  const meet = async (items: readonly TransactWriteItem[]): Promise<unknown> => {
    const sure = world.random.int(items.length);
    const met = items.map((_, index) => index === sure || world.random.chance(MEETS_TOO));
    const isThere = async ({ Put }: TransactWriteItem): Promise<boolean> => {
      if (Put?.Item === undefined) return false;
      const { pk, sk } = Put.Item;
      const key = { pk, sk } as GetItemCommand["input"]["Key"];
      const found = await send(new GetItemCommand({ TableName: Put.TableName, Key: key }));
      return (found as GetItemCommandOutput).Item !== undefined;
    };
    const reasons = items.map(async (item, index) => {
      if (met[index] === true) return "TransactionConflict";
      return (await isThere(item)) ? "ConditionalCheckFailed" : "None";
    });
    const CancellationReasons = (await Promise.all(reasons)).map((Code) => ({ Code }));
    throw new TransactionCanceledException({ message: "a conflict", CancellationReasons, $metadata: {} });
  };

  const write = async (label: string, command: unknown, keepsAnswer: boolean): Promise<unknown> => {
    let landed: Promise<Ended> | null = null;
    const apply = (): Promise<Ended> => {
      if (landed !== null) return landed;
      const items = command instanceof TransactWriteItemsCommand ? command.input.TransactItems : undefined;
      const ended = endOf(items !== undefined && world.hits("conflict") ? meet(items) : send(command));
      void ended.then(({ kind }) => {
        if (keepsAnswer && kind === "done") landed = ended;
      });
      return ended;
    };
    for (let sends = 1; sends <= SENDS_MAX; sends++) {
      const sent = await world.send(process, label, apply);
      if (sent.kind === "unanswered") continue;
      const ended = await sent.value;
      if (ended.kind === "refused") throw ended.cause;
      return ended.output;
    }
    throw new Unanswered();
  };

  const read = async (command: unknown): Promise<unknown> => {
    const peeked = await send(command);
    // A partition without items would be a step that no order matters to, and there are very many.
    if ((peeked as Partial<QueryCommandOutput>).Items?.length === 0) return peeked;
    const label = `read the ${(command as object).constructor.name.replace("Command", "")}`;
    const output = await world.step(process, label, () => (world.hits("readFailed") ? null : send(command)));
    if (output === null) throw new Unanswered();
    return output;
  };

  const client: Sends = {
    send(command) {
      if (command instanceof TransactWriteItemsCommand) {
        const items = command.input.TransactItems ?? [];
        const events = items.filter(({ Put }) => Put !== undefined).length;
        return write(`append ${events} events`, command, hasTokens);
      }
      if (command instanceof BatchWriteItemCommand) return write("note evidence", command, false);
      if (command instanceof PutItemCommand) return write("note a batch", command, false);
      if (command instanceof UpdateItemCommand) return write("mark what is swept", command, false);
      return read(command);
    },
  };
  return client as unknown as DynamoDBClient;
}

interface Sends {
  send(command: unknown): Promise<unknown>;
}

const endOf = (answer: Promise<unknown>): Promise<Ended> =>
  answer.then(
    (output) => ({ kind: "done", output }),
    (cause: unknown) => ({ kind: "refused", cause }),
  );

class Unanswered extends Error {
  override readonly message = "the Audit table did not answer";
}
