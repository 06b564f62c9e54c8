import { MemoryAuditLog } from "../support/memory-audit.ts";
import { VaultState } from "../support/memory-vault.ts";
import { AuditChecks } from "./audit-checks.ts";
import { Checks } from "./checks.ts";
import { Delivery } from "./delivery.ts";
import { NO_FAULTS, someFaults } from "./faults.ts";
import { Random } from "./random.ts";
import { Resolution } from "./resolution.ts";
import { Scenario } from "./scenario.ts";
import type { StreamRecord } from "./stream.ts";
import { SimulatedVendor } from "./vendor.ts";
import { type Violation, World } from "./world.ts";

export interface ScheduleResult {
  readonly seed: number;
  readonly steps: number;
  readonly violation: Violation | null;
  /** What happened, line by line; empty unless it was asked for. */
  readonly trace: readonly string[];
  /** How often what matters came about, so that a scenario that tests nothing shows. */
  readonly reached: ReadonlyMap<string, number>;
}

/** How many schedules have the resolver: the others show what holds without it. */
const RESOLVED = 0.5;
const SLEEPY = 0.05;
const RESOLVER_AWAY_MS_MAX = 30 * 3_600_000;

/**
 * One schedule, told by its seed: agents call and operators interfere while things fail; then all repeat what they
 * did, and nothing fails; then the stream is delivered. Promises are checked throughout.
 */
export async function runSchedule(seed: number, keepTrace = false): Promise<ScheduleResult> {
  const random = new Random(seed);
  const world = new World(random, someFaults(random), keepTrace);
  const state = new VaultState();
  const vendor = new SimulatedVendor(world);
  const checks = new Checks(world, state, vendor);
  const spending = new MemoryAuditLog();
  const stream: StreamRecord[] = [];
  world.afterStep(() => {
    for (const written of state.changes.slice(stream.length)) stream.push({ ...written, atMs: world.nowMs });
  });
  world.say(
    `faults ${JSON.stringify(Object.fromEntries(Object.entries(world.faults).filter(([, p]) => p > 0)))}`,
  );

  // Chance of its own: a schedule without such keys stays what its seed has always been.
  const scenario = new Scenario(world, state, vendor, checks, spending, new Random(seed + 1_000_003));
  const chance = new Random(seed + 2_000_003);
  const resolution = chance.chance(RESOLVED) ? new Resolution(world, state, stream, chance) : null;
  // The journal and what was denied on a record of its own are kept for days: the resolver is not away for so long.
  if (resolution !== null) world.jumpsMsMax = RESOLVER_AWAY_MS_MAX;
  // Whoever sleeps while it is finished by the resolver is what the fence is for.
  if (resolution !== null && chance.chance(0.5)) world.faults = { ...world.faults, suspend: SLEEPY };
  scenario.start();
  resolution?.start();
  await world.run();
  await scenario.askWithFaults();

  world.faults = NO_FAULTS;
  if (random.chance(0.2)) world.jumpSome([31_000, 3_600_000, 49 * 3_600_000]);
  state.sweep(world.nowMs);
  scenario.repeatAll();
  await world.run();
  await resolution?.finish();
  await scenario.askToTheEnd();

  await resolution?.finish();
  if (world.violation === null) checks.atEnd();
  if (world.violation === null && resolution !== null) checks.atRest();
  const delivered = new World(random, someFaults(random), keepTrace);
  if (world.violation === null) {
    const delivery = new Delivery(delivered, state, stream);
    await delivery.run();
    if (delivered.violation === null)
      await new AuditChecks(world, state, checks, delivery).run(scenario, vendor);
  }
  const reached = new Map<string, number>();
  const reach = (what: string) => reached.set(what, (reached.get(what) ?? 0) + 1);
  for (const { result } of scenario.decisions)
    reach(result.kind === "denied" ? result.problem.code : `vendor ${result.reply.status}`);
  for (const { result } of scenario.decisions)
    if (result.facts?.wouldDeny != null) reach(`would ${result.facts.wouldDeny}`);
  for (const known of checks.history.attempts.values())
    for (const { attempt } of known)
      reach(`${attempt.kind} ${attempt.state}${attempt.overrun ? " overrun" : ""}`);
  for (const what of checks.latePrices()) reach(what);
  const violation = world.violation ?? delivered.violation;
  const trace = [...world.trace, ...delivered.trace];
  return { seed, steps: world.steps + delivered.steps, violation, trace, reached };
}
