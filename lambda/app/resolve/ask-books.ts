import type { BooksQuestion } from "../../domain/books.ts";
import type { Charged, Verdict } from "../../domain/call/close.ts";
import type { Attempt, CallRecord } from "../../domain/call/record.ts";
import { uncounted } from "../../domain/counted-object.ts";
import { NOTHING, smaller } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { type Policy, rootOf } from "../../domain/vault-key.ts";
import type {
  Books,
  Json,
  Known,
  PricedRule,
  Quote,
  Vendor,
  VendorAnswer,
  VendorOutcome,
  VendorRequest,
} from "../../domain/vendor.ts";
import type { CallVault } from "../../ports/vault.ts";
import { endpointOf } from "../../vendors/catalog-entry.ts";
import { jsonObjectOf } from "../../vendors/json-answer.ts";
import { callVendor } from "../proxy/call-vendor.ts";
import { lookupTimeMs } from "../proxy/deadlines.ts";
import type { ProxyPorts } from "../proxy/proxy-ports.ts";

export interface BooksPorts
  extends Pick<
    ProxyPorts,
    "vendors" | "credentials" | "http" | "clock" | "destinationOf" | "rateCard" | "warn"
  > {
  readonly vault: { readonly objects: CallVault["objects"] };
  /** The books of a vendor by its name; null for one that has none. */
  readonly booksOf: (vendor: string) => Books | null;
  /**
   * The vendor's objects that calls which began within these times have on record, in milliseconds; null where there are
   * too many to read.
   */
  readonly objectsOnRecord: (
    vendor: string,
    fromMs: number,
    toMs: number,
  ) => Promise<ReadonlySet<string> | null>;
  /** What this process has found already, since the record of it comes late: an object is one call's. */
  readonly found: Map<string, string>;
}

/** How many pages of a list are read for one attempt. */
const PAGES_MAX = 20;
/** Clocks differ, and a vendor rounds times down to seconds. */
const BEFORE_MS = 5_000;
/** A call takes half a minute at most, and a vendor may go on for a while after nobody waits for it any more. */
const AFTER_MS = 120_000;

/** Whether its vendor's books can tell of an attempt, and still do. */
export function canAskBooks(
  record: CallRecord,
  attempt: Attempt,
  policy: Policy,
  { vendors, clock, booksOf }: Pick<BooksPorts, "vendors" | "clock" | "booksOf">,
): boolean {
  const vendor = vendors.find(policy.vendor);
  const books = booksOf(policy.vendor);
  if (vendor === null || books === null || clock.now() - record.firstAtMs > books.keptMs) return false;
  const path = vendor.catalogPath(attempt.request.path);
  return books.page(questionOf(record, attempt, path), null) !== null;
}

/**
 * Looks an unresolved attempt up in its vendor's books: by reading alone, with the real credential. Null where they do not tell
 * with certainty; that says nothing, and is asked again. `deadlineMs`: when to stop.
 */
export async function askBooks(
  record: CallRecord,
  attempt: Attempt,
  policy: Policy,
  deadlineMs: number,
  ports: BooksPorts,
): Promise<Verdict | null> {
  const vendor = ports.vendors.find(policy.vendor);
  const books = ports.booksOf(policy.vendor);
  const { method } = attempt.request;
  const path = vendor?.catalogPath(attempt.request.path) ?? "";
  const rule = vendor === null ? undefined : endpointOf(vendor, method, path)?.rule;
  if (vendor === null || books === null || rule?.kind !== "priced") return null;

  const asked = { vendor, books, rule, policy, question: questionOf(record, attempt, path), deadlineMs };
  const guesses: string[] = [];
  let verdict: Verdict | null = null;
  try {
    const matches = await matchesOf(asked, ports);
    const certain =
      matches === null ? null : await ownOf(record.callId, matches, { ...asked, guesses }, ports);
    const answer = certain === null ? null : books.answer(certain, asked.question);
    if (answer === null || certain === null) return null;
    const isGuessed = certain.some((entry) => books.guessedId(entry, asked.question) !== null);
    const outcome = await outcomeOf(attempt, answer, { ...asked, isGuessed }, ports);
    verdict = verdictOf(attempt, outcome, answer, vendor);
    return verdict;
  } catch (error) {
    ports.warn(`the books of ${vendor.title} could not be asked for ${record.callId}`, error);
    return null;
  } finally {
    if (verdict === null) for (const guess of guesses) ports.found.delete(guess);
  }
}

interface Asked {
  readonly vendor: Vendor;
  readonly books: Books;
  readonly rule: PricedRule;
  readonly policy: Policy;
  readonly question: BooksQuestion;
  readonly deadlineMs: number;
}

function questionOf(
  record: CallRecord,
  { request, sought = {}, issuedAtMs }: Attempt,
  path: string,
): BooksQuestion {
  const { method, idempotencyKey, amountText, currency } = request;
  return {
    method,
    path,
    idempotencyKey,
    amountText,
    currency,
    sought,
    fromMs: record.firstAtMs - BEFORE_MS,
    toMs: issuedAtMs + AFTER_MS,
  };
}

/** All that matches; null where not all could be read. */
async function matchesOf(asked: Asked, ports: BooksPorts): Promise<readonly Json[] | null> {
  const { books } = asked;
  const matches: Json[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page = await pageOf(asked, after, ports);
    if (page === null) return null;
    const { entries, next } = books.read(page, asked.question);
    matches.push(...entries.filter((entry) => books.isMatch(entry, asked.question)));
    if (next === null) return matches;
    after = next;
  }
  return null;
}

async function pageOf(
  { vendor, books, policy, question, deadlineMs }: Asked,
  after: string | null,
  ports: BooksPorts,
): Promise<Json | null> {
  const wanted = books.page(question, after);
  const startedAtMs = ports.clock.now();
  if (wanted === null || startedAtMs >= deadlineMs) return null;
  const { credential } = policy;
  const secret = await ports.credentials.read({ vendor: vendor.name, credential, fresh: false });
  if (secret === null || vendor.authorize(secret) === null) return null;
  const address = vendor.address({ method: "GET", path: wanted.path }, secret);
  if (address instanceof Problem) throw address;
  const headers = Object.fromEntries(Object.entries(wanted.headers).map(([name, value]) => [name, [value]]));
  const request = { method: "GET", path: wanted.path, query: wanted.query, headers, body: new Uint8Array() };
  const { answer, withheld } = await callVendor(
    { vendor, request, address, secret },
    { policy, timeoutMs: lookupTimeMs({ startedAtMs, deadlineMs }, startedAtMs) },
    ports,
  );
  if (answer?.status !== 200 || withheld !== null)
    throw new Error(`GET ${wanted.path} at ${vendor.title} answered ${answer?.status ?? "nothing"}`);
  return jsonObjectOf(answer.body);
}

/**
 * Those that no other call has on record; null where that cannot be said. What is certain is not looked for. What is guessed is
 * this call's from here on, in the step that sees that it is nobody's: `guesses` gets the names under which that stands in `found`.
 */
async function ownOf(
  callId: string,
  matches: readonly Json[],
  { vendor, books, question, guesses }: Asked & { readonly guesses: string[] },
  ports: BooksPorts,
): Promise<readonly Json[] | null> {
  const guessed = matches.filter((entry) => books.guessedId(entry, question) !== null);
  if (guessed.length === 0) return matches;
  const onRecord = await ports.objectsOnRecord(vendor.name, question.fromMs - AFTER_MS, question.toMs);
  if (onRecord === null) return null;
  return matches.filter((entry) => {
    const id = books.guessedId(entry, question);
    if (id === null) return true;
    const name = `${vendor.name} ${id}`;
    const finder = ports.found.get(name);
    if (onRecord.has(id) || (finder !== undefined && finder !== callId)) return false;
    if (finder === undefined) {
      ports.found.set(name, callId);
      guesses.push(name);
    }
    return true;
  });
}

/** What the answer means, by the vendor's own rule. */
async function outcomeOf(
  attempt: Attempt,
  answer: VendorAnswer,
  { books, rule, policy, question, isGuessed }: Asked & { readonly isGuessed: boolean },
  { vault, rateCard }: BooksPorts,
): Promise<VendorOutcome> {
  const { method, path, sought } = question;
  const request: VendorRequest = { method, path, query: {}, headers: {}, body: new Uint8Array() };
  const nothing: Known = { object: null, found: null, rateCard, limits: policy.limits };
  const { amountText, currency, fxRate } = attempt.request;
  const quote: Quote = {
    amount: attempt.amount,
    amountText,
    currency,
    fxRate,
    recipients: null,
    explanation: null,
    ...books.quote(sought),
  };
  const outcome = rule.read(answer, quote, nothing, request);
  // What others of the run have counted for the object meanwhile, whether the path names it or the answer does.
  const named = rule.objectOf?.(request) ?? null;
  const objectId = named ?? outcome.counts?.objectId ?? null;
  const object = objectId === null ? null : await vault.objects.read({ rootId: rootOf(policy), objectId });
  if (object === null) return outcome;
  const now = rule.read(answer, quote, { ...nothing, object }, request);
  // A call that makes an object counts all of it, and a later step that came first has counted it already. Of an object that is
  // only guessed, what is counted may be another call's.
  return named === null && !isGuessed
    ? { ...now, price: smaller(now.price, uncounted(object, now.price)) }
    : now;
}

function verdictOf(
  attempt: Attempt,
  outcome: VendorOutcome,
  answer: VendorAnswer,
  vendor: Vendor,
): Verdict | null {
  if (outcome.kind === "declined") return { kind: "not_charged" };
  if (outcome.kind !== "executed") return null;
  const { price, objectId, customerId, isEstimate, counts, amountText, currency, fxRate } = outcome;
  const known = {
    vendorObjectId: objectId,
    vendorCustomerId: customerId,
    vendorRequestId: vendor.requestId(answer.headers),
    amountText,
    currency,
    fxRate,
  };
  const facts: Charged["facts"] = Object.fromEntries(
    Object.entries(known).filter(([, value]) => value !== null),
  );
  return {
    kind: "charged",
    attemptId: attempt.attemptId,
    price: price < 0n ? NOTHING : price,
    objectId,
    estimateOf: isEstimate ? vendor.name : null,
    counts,
    facts,
  };
}
