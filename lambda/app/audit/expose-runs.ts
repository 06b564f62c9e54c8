import { eachAtOnce } from "../../at-once.ts";
import { type Balance, standing } from "../../domain/balance.ts";
import { exposureOfAll } from "../../domain/exposure.ts";
import type { ListedKey } from "../../domain/key-list.ts";
import type { MicroUsd } from "../../domain/money.ts";
import type { Vault } from "../../ports/vault.ts";

/** How much one request may read at most for the exposure of all its runs. */
export interface ExposureBudget {
  /** Entries of the lists of keys. */
  readonly entries: number;
  readonly balances: number;
}

/** A label group, or a label of one. */
interface Run {
  readonly group: string | null;
  readonly label: string | null;
}

export interface RunExposure {
  readonly exposure: MicroUsd;
  readonly liveKeys: number;
  /** Whether it is of all keys, and each of them has an end: a key that observes has none. */
  readonly isExposureComplete: boolean;
}

interface Ports extends Pick<Vault, "balances" | "listedKeys"> {
  readonly nowMs: number;
}

const READ_AT_ONCE = 32;
const PAGE = 250;

/**
 * The runs with what their live keys may still spend. Earlier runs get of the budget what they need. Newest keys are read
 * first.
 */
export async function withExposure<R extends Run>(
  runs: readonly R[],
  budget: ExposureBudget,
  ports: Ports,
): Promise<readonly (R & RunExposure)[]> {
  const groups = [...new Set(runs.flatMap(({ group }) => group ?? []))];
  const keys = new Map<string, GroupKeys>();
  let entriesLeft = budget.entries;
  for (const group of groups) {
    const found = await keysOf(group, entriesLeft, ports);
    entriesLeft -= found.read;
    keys.set(group, found);
  }
  const wanted = new Set<string>();
  const keysOfRun = ({ group, label }: R): GroupKeys => {
    const of = keys.get(group ?? "");
    if (group === null || of === undefined) return NOTHING_READ;
    const own = of.keys.filter((key) => label === null || key.label === label);
    const read = own.filter(({ chain }) => {
      const more = chain.filter((id) => !wanted.has(id));
      if (wanted.size + more.length > budget.balances) return false;
      for (const id of more) wanted.add(id);
      return true;
    });
    return { ...of, keys: read, isComplete: of.isComplete && read.length === own.length };
  };
  const chosen = runs.map((run) => ({ run, of: keysOfRun(run) }));
  const read = (await ports.balances.read([...wanted])).flatMap((balance) => balance ?? []);
  const balances = new Map(read.map((balance) => [balance.keyId, balance]));
  return chosen.map(({ run, of }) => ({ ...run, ...exposed(of, balances, ports.nowMs) }));
}

interface GroupKeys {
  /** Those that have not ended for certain. */
  readonly keys: readonly ListedKey[];
  /** Entries that were read. */
  readonly read: number;
  readonly isComplete: boolean;
}

const NOTHING_READ: GroupKeys = { keys: [], read: 0, isComplete: false };

function exposed(
  { keys, isComplete }: GroupKeys,
  balances: ReadonlyMap<string, Balance>,
  nowMs: number,
): RunExposure {
  const isUsable = (id: string) => standing(balances.get(id) ?? null, nowMs) === "active";
  const live = keys.filter(({ chain }) => chain.every(isUsable));
  return {
    exposure: exposureOfAll(live, balances, nowMs),
    liveKeys: live.length,
    isExposureComplete: isComplete && live.every((key) => !key.observes),
  };
}

/** The keys of a label group, each part newest first. */
async function keysOf(group: string, entriesMax: number, { listedKeys, nowMs }: Ports): Promise<GroupKeys> {
  const parts = listedKeys.partsOf({ kind: "label_group", group });
  const ofEach = Math.floor(entriesMax / parts.length);
  const found = await eachAtOnce(parts, READ_AT_ONCE, async (part): Promise<GroupKeys> => {
    const keys: ListedKey[] = [];
    let read = 0;
    let before: string | null = null;
    do {
      const limit = Math.min(PAGE, ofEach - read);
      if (limit <= 0) return { keys, read, isComplete: false };
      const page = await listedKeys.page({ part, before, limit });
      read += page.entries.length;
      keys.push(...page.entries.map(({ key }) => key).filter(({ endsByMs }) => endsByMs > nowMs));
      before = page.next;
    } while (before !== null);
    return { keys, read, isComplete: true };
  });
  return {
    keys: found.flatMap((each) => each.keys),
    read: found.reduce((all, each) => all + each.read, 0),
    isComplete: found.every((each) => each.isComplete),
  };
}
