import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { Problem } from "../domain/problem.ts";
import { LAYOUT_KEY, LAYOUT_VERSION } from "../layout.ts";

const KEY = { pk: { S: LAYOUT_KEY.pk }, sk: { S: LAYOUT_KEY.sk } };

/**
 * Refuses to work on tables of a newer layout, as the local run does: an older version that is deployed over a newer one
 * would misread money. Each process asks once, before it reads anything else; the first process of a newer version that
 * writes marks the tables.
 */
export class TableLayout {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #marks: boolean;
  readonly #warn: (message: string, cause: unknown) => void;
  #checked: Promise<void> | null = null;

  /** `marks`: whether this function writes items, and so says which layout they have. */
  constructor(
    client: DynamoDBClient,
    table: string,
    marks: boolean,
    warn: (message: string, cause: unknown) => void,
  ) {
    this.#client = client;
    this.#table = table;
    this.#marks = marks;
    this.#warn = warn;
  }

  /** Throws a Problem where the tables are newer, or where that cannot be found out: the next call asks again. */
  check(): Promise<void> {
    this.#checked ??= this.#compare().catch((error: unknown) => {
      this.#checked = null;
      throw error;
    });
    return this.#checked;
  }

  async #compare(): Promise<void> {
    let version: number | null;
    try {
      version = await this.#read();
      if (this.#marks && (version === null || version < LAYOUT_VERSION)) version = await this.#mark();
    } catch (cause) {
      throw new Problem("ledger_unavailable", "the ledger cannot be read; repeat the request", {
        cause,
      });
    }
    if (version === null || version <= LAYOUT_VERSION) return;
    this.#warn(
      `the tables have layout ${version}, and this version of Keybrake reads layout ${LAYOUT_VERSION}: deploy the newer version again (docs/deploying.md, Upgrade); until then every call is refused`,
      null,
    );
    throw new Problem(
      "ledger_unavailable",
      "a newer version of Keybrake wrote the ledger; the operator has to deploy that version again",
    );
  }

  async #read(): Promise<number | null> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: KEY, ConsistentRead: true }),
    );
    return item?.["version"]?.N === undefined ? null : Number(item["version"].N);
  }

  /** A newer one that came in between stays. */
  async #mark(): Promise<number> {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: KEY,
          UpdateExpression: "SET #version = :version",
          ConditionExpression: "attribute_not_exists(#version) OR #version < :version",
          ExpressionAttributeNames: { "#version": "version" },
          ExpressionAttributeValues: { ":version": { N: `${LAYOUT_VERSION}` } },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return LAYOUT_VERSION;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return Number(error.Item?.["version"]?.N ?? LAYOUT_VERSION);
    }
  }
}
