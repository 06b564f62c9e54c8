import {
  type AttributeValue,
  ExecuteStatementCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";

/**
 * Reads the `aws dynamodb` commands of the documents as the AWS CLI would, so that they can be run without it.
 *
 * Strict on purpose: a flag, a quote or a value that is not understood throws, since a command that is read otherwise
 * than the CLI reads it would prove nothing.
 */
export type AwsCommand =
  | { readonly kind: "query"; readonly endpoint: string; readonly command: QueryCommand }
  | { readonly kind: "statement"; readonly endpoint: string; readonly command: ExecuteStatementCommand }
  | { readonly kind: "scan"; readonly endpoint: string; readonly command: ScanCommand }
  | { readonly kind: "update"; readonly endpoint: string; readonly command: UpdateItemCommand };

type Variables = Readonly<Record<string, string>>;

export const awsCommand = (text: string, variables: Variables): AwsCommand =>
  commandOf(words(text, variables));

/** Takes off `--query 'Items[].<name>.S' --output text`: the name, or null where there is no `--query`. */
export function takeOutput(given: readonly string[]): { words: readonly string[]; output: string | null } {
  const at = given.indexOf("--query");
  if (at < 0) return { words: given, output: null };
  const [, query = "", flag, format] = given.slice(at);
  const [, name] = /^Items\[\]\.([a-z_]+)\.S$/.exec(query) ?? [];
  if (name === undefined || flag !== "--output" || format !== "text")
    throw new Error(`no output of these documents: ${given.slice(at).join(" ")}`);
  return { words: [...given.slice(0, at), ...given.slice(at + 4)], output: name };
}

/** A command that a shell has split already. Without `--endpoint-url` the endpoint is empty: the environment's. */
export function commandOf(given: readonly string[]): AwsCommand {
  const [aws, service, operation, ...rest] = given;
  if (aws !== "aws" || service !== "dynamodb")
    throw new Error(`not a command of aws dynamodb: ${given.join(" ")}`);
  const flags = flagsOf(rest);
  const address = flags.take("--endpoint-url");
  const endpoint = address === undefined ? "" : only(address);

  if (operation === "query") {
    const name = flags.take("--index-name");
    const filter = flags.take("--filter-expression");
    const command = new QueryCommand({
      TableName: one(flags, "--table-name"),
      KeyConditionExpression: one(flags, "--key-condition-expression"),
      ExpressionAttributeValues: valuesOf(one(flags, "--expression-attribute-values")),
      ...namesOf(flags),
      ...(name === undefined ? {} : { IndexName: only(name) }),
      ...(filter === undefined ? {} : { FilterExpression: only(filter) }),
      ...(flags.take("--no-scan-index-forward") === undefined ? {} : { ScanIndexForward: false }),
    });
    flags.end();
    return { kind: "query", endpoint, command };
  }
  if (operation === "execute-statement") {
    const parameters = (flags.take("--parameters") ?? []).map(shorthandText);
    const command = new ExecuteStatementCommand({
      Statement: one(flags, "--statement"),
      Parameters: parameters,
    });
    flags.end();
    return { kind: "statement", endpoint, command };
  }
  if (operation === "scan") {
    const filter = one(flags, "--filter-expression");
    const command = new ScanCommand({
      TableName: one(flags, "--table-name"),
      FilterExpression: filter,
      ExpressionAttributeValues: valuesOf(one(flags, "--expression-attribute-values")),
      ...(flags.take("--consistent-read") === undefined ? {} : { ConsistentRead: true }),
    });
    flags.end();
    return { kind: "scan", endpoint, command };
  }
  if (operation === "update-item") {
    const command = new UpdateItemCommand({
      TableName: one(flags, "--table-name"),
      Key: valuesOf(one(flags, "--key")),
      UpdateExpression: one(flags, "--update-expression"),
      ConditionExpression: one(flags, "--condition-expression"),
      ExpressionAttributeValues: valuesOf(one(flags, "--expression-attribute-values")),
      ...namesOf(flags),
    });
    flags.end();
    return { kind: "update", endpoint, command };
  }
  throw new Error(`no operation of these documents: ${operation}`);
}

/** Words as a shell splits them: quotes, variables outside of single quotes, and a backslash before a line's end. */
function words(text: string, variables: Variables): readonly string[] {
  const found: string[] = [];
  let word: string | null = null;
  let rest = text.trim().replaceAll("\\\n", " ");
  while (rest !== "") {
    const [piece = "", spaces, single, double, name, plain] =
      /^(?:(\s+)|'([^']*)'|"((?:[^"\\`])*)"|\$([A-Z_]+)|([A-Za-z0-9_./:=?*-]+))/.exec(rest) ?? [];
    if (piece === "") throw new Error(`a shell would read this in a way that is not known here: ${rest}`);
    rest = rest.slice(piece.length);
    if (spaces === undefined) {
      const meant =
        single ??
        plain ??
        (name === undefined ? expanded(double ?? "", variables) : variableOf(name, variables));
      word = (word ?? "") + meant;
    } else if (word !== null) {
      found.push(word);
      word = null;
    }
  }
  return word === null ? found : [...found, word];
}

const expanded = (text: string, variables: Variables): string =>
  text.replace(/\$([A-Z_]+)?/g, (_, name: string | undefined) => variableOf(name ?? "", variables));

function variableOf(name: string, variables: Variables): string {
  const value = variables[name];
  if (value === undefined) throw new Error(`the variable $${name} is not explained`);
  return value;
}

interface Flags {
  take(name: string): readonly string[] | undefined;
  /** Throws where a flag was not taken. */
  end(): void;
}

function flagsOf(words: readonly string[]): Flags {
  const flags = new Map<string, string[]>();
  let current: string[] | null = null;
  for (const word of words) {
    if (word.startsWith("--")) {
      if (flags.has(word)) throw new Error(`${word} is there twice`);
      current = [];
      flags.set(word, current);
    } else if (current === null) throw new Error(`${word} belongs to no flag`);
    else current.push(word);
  }
  return {
    take(name) {
      const values = flags.get(name);
      flags.delete(name);
      return values;
    },
    end() {
      if (flags.size > 0) throw new Error(`unknown flags: ${[...flags.keys()].join(", ")}`);
    },
  };
}

const one = (flags: Flags, name: string): string => only(flags.take(name) ?? []);

function only([value, ...more]: readonly string[]): string {
  if (value === undefined || more.length > 0)
    throw new Error(`one value is needed, got ${1 + more.length}: ${value}`);
  return value;
}

/** The CLI's shorthand for one text attribute: `S='…'`. */
function shorthandText(text: string): { S: string } {
  const [, value] = /^S='([^']*)'$/.exec(text) ?? [];
  if (value === undefined) throw new Error(`not the shorthand of a text: ${text}`);
  return { S: value };
}

/** The CLI's shorthand for texts and truths by name: `:a={S='…'},:b={BOOL=true}`. */
function shorthandMap(text: string): Record<string, AttributeValue> {
  const entries = [...text.matchAll(/(?:^|,)(:[a-z_]+)=\{(S='[^']*'|BOOL=true)\}/g)];
  if (entries.map(([entry]) => entry).join("") !== text)
    throw new Error(`not the shorthand of a map: ${text}`);
  return Object.fromEntries(
    entries.map(([, name = "", value = ""]) => [
      name,
      value === "BOOL=true" ? { BOOL: true } : shorthandText(value),
    ]),
  );
}

/** JSON, as the CLI takes it too, or shorthand. */
const valuesOf = (text: string): Record<string, AttributeValue> =>
  text.startsWith("{") ? JSON.parse(text) : shorthandMap(text);

function namesOf(flags: Flags): { ExpressionAttributeNames?: Record<string, string> } {
  const names = flags.take("--expression-attribute-names");
  return names === undefined ? {} : { ExpressionAttributeNames: JSON.parse(only(names)) };
}
