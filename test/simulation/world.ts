import { setImmediate as microtasksDone } from "node:timers/promises";
import type { Clock } from "../../lambda/ports/clock.ts";
import type { Ids } from "../../lambda/ports/ids.ts";
import type { Faults } from "./faults.ts";
import type { Random } from "./random.ts";
import { SentCorrections } from "./sent-corrections.ts";

/**
 * Time, chance and order: every operation of a port is a step that waits until the scheduler picks it.
 *
 * Between two steps all that can run without a port runs. So a schedule is a list of picks, and a seed repeats it.
 */
export class World {
  readonly random: Random;
  readonly trace: string[] = [];
  faults: Faults;
  nowMs = START_MS;
  steps = 0;
  /** The first promise that was broken, or null. */
  violation: Violation | null = null;
  /** Writes that were lost, came late, or whose writer died: what the books leak is excused by these alone. */
  ledgerFaults = 0;
  /** How far time may jump in all while things fail. */
  jumpsMsMax = Infinity;
  readonly processes: Process[] = [];
  readonly corrections = new SentCorrections();
  readonly #keepTrace: boolean;
  readonly #sources: (() => readonly Choice[])[] = [];
  readonly #beforeJump: (() => void)[] = [];
  readonly #afterStep: (() => void)[] = [];
  #pending: Pending[] = [];
  #flying: Flying[] = [];

  constructor(random: Random, faults: Faults, keepTrace: boolean) {
    this.random = random;
    this.faults = faults;
    this.#keepTrace = keepTrace;
    this.#beforeJump.push(() => this.#landAll());
  }

  /** Choices that others offer besides the pending steps. */
  offer(source: () => readonly Choice[]): void {
    this.#sources.push(source);
  }

  /** What is under way nowhere for hours: called before time jumps further than a network can delay. */
  beforeJump(finish: () => void): void {
    this.#beforeJump.push(finish);
  }

  afterStep(check: () => void): void {
    this.#afterStep.push(check);
  }

  say(line: string): void {
    if (this.#keepTrace) this.trace.push(`${`${this.steps}`.padStart(4)} ${this.#clockText()}  ${line}`);
  }

  broke(promise: Violation["promise"], message: string): void {
    if (this.violation !== null) return;
    this.violation = { promise, message };
    this.say(`PROMISE ${promise} BROKEN: ${message}`);
  }

  hits(fault: keyof Faults): boolean {
    return this.faults[fault] > 0 && this.random.chance(this.faults[fault]);
  }

  /**
   * Starts a process with a clock of its own; null when it dies before it is done. One that does not `outlive` long
   * jumps is ended by its platform after half a minute, however long it is suspended.
   */
  async spawn<T>(name: string, outlives: boolean, run: (process: Process) => Promise<T>): Promise<T | null> {
    const skewMs = this.random.between(-SKEW_MS_MAX, SKEW_MS_MAX);
    const process = new Process(name, skewMs, outlives);
    process.startedMs = this.nowMs;
    this.processes.push(process);
    const died = new Promise<null>((resolve) => {
      process.die = () => resolve(null);
    });
    const ended = await Promise.race([run(process), died]);
    process.done = true;
    return ended;
  }

  /** Waits until the scheduler picks it, then runs. */
  step<T>(process: Process | null, label: string, run: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#pending.push({ process, label, run: () => resolve(run()), abandon: () => {} });
    });
  }

  /**
   * Sends one write, once. It lands and is acknowledged; or lands without an answer; or the writer hears nothing and it
   * lands later or never. A writer that dies with it leaves it on its way.
   */
  send<T>(process: Process, label: string, apply: () => T): Promise<Sent<T>> {
    return new Promise((resolve) => {
      const run = () => {
        if (this.hits("replyLost")) {
          this.#lost(`${label}: landed, reply lost`);
          apply();
          resolve({ kind: "unanswered" });
        } else if (this.hits("late")) {
          this.#lost(`${label}: no reply, on its way`);
          this.#flying.push({ label, apply });
          resolve({ kind: "unanswered" });
        } else if (this.hits("vanished")) {
          this.#lost(`${label}: never arrived`);
          resolve({ kind: "unanswered" });
        } else {
          const value = apply();
          this.say(`${process.name}: ${label} -> ${said(value)}`);
          resolve({ kind: "answered", value });
        }
      };
      this.#pending.push({ process, label, run, abandon: () => this.#flying.push({ label, apply }) });
    });
  }

  /** A process waits so many milliseconds, or longer. */
  wait(process: Process, ms: number): Promise<void> {
    const untilMs = this.nowMs + Math.ceil(ms);
    return this.step(process, "waits", () => {
      if (this.nowMs < untilMs) this.jump(untilMs - this.nowMs);
    });
  }

  /** Runs until nothing is left to do or a promise is broken. */
  async run(): Promise<void> {
    for (;;) {
      await microtasksDone();
      for (const check of this.#afterStep) check();
      const choice = this.violation === null ? this.#choose() : null;
      if (choice === null) return;
      this.steps++;
      this.nowMs += this.random.int(STEP_MS_MAX);
      if (this.steps > STEPS_MAX) throw new Error("a schedule does not end");
      choice.run();
    }
  }

  clockOf(process: Process): Clock {
    return { now: () => this.nowMs + process.skewMs };
  }

  get ids(): Ids {
    return { random: (length) => this.random.text(length) };
  }

  /** Moves time. Further than ten minutes, whatever is on its way has arrived or is gone. */
  jump(ms: number): void {
    if (ms > NETWORK_MS_MAX) {
      for (const process of this.#running()) if (!process.outlives) this.crash(process);
      for (const finish of this.#beforeJump) finish();
    }
    this.nowMs += ms;
    this.say(`${(ms / 1000).toFixed(0)} seconds pass`);
  }

  crash(process: Process): void {
    process.dead = true;
    this.ledgerFaults++;
    const mine = this.#pending.filter((pending) => pending.process === process);
    this.#pending = this.#pending.filter((pending) => pending.process !== process);
    for (const { abandon } of mine) if (this.random.chance(0.5)) abandon();
    this.say(`${process.name} dies with ${mine.length} operations under way`);
    process.die();
  }

  #lost(line: string): void {
    this.ledgerFaults++;
    this.say(line);
  }

  #choose(): Choice | null {
    const steps = this.#pending.filter(({ process }) => process === null || process.asleep === 0);
    const sources = this.#sources.flatMap((source) => source());
    const choices = [
      ...steps.map((pending) => this.#choiceOf(pending)),
      ...this.#flying.map((flying) => this.#landing(flying)),
      ...sources,
    ];
    if (choices.length === 0) return this.#wakeAll() ? this.#choose() : null;
    for (const process of this.processes) if (process.asleep > 0) process.asleep--;
    this.#disturb(choices);

    let left = this.random.next() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const choice of choices) {
      left -= choice.weight;
      if (left < 0) return choice;
    }
    return choices.at(-1) ?? null;
  }

  #choiceOf(pending: Pending): Choice {
    const run = () => {
      this.#pending = this.#pending.filter((other) => other !== pending);
      pending.run();
    };
    return { weight: 10, run };
  }

  #landing(flying: Flying): Choice {
    return { weight: 2, run: () => this.#land(flying) };
  }

  #land(flying: Flying): void {
    this.#flying = this.#flying.filter((other) => other !== flying);
    if (this.random.chance(0.3)) this.say(`late: ${flying.label} is lost for good`);
    else this.say(`late: ${flying.label} -> ${said(flying.apply())}`);
  }

  #landAll(): void {
    for (const flying of [...this.#flying]) this.#land(flying);
  }

  /** Adds what may happen to processes and to time; weights follow the probability of the fault. */
  #disturb(choices: Choice[]): void {
    const running = this.#running();
    if (running.length === 0) return;
    const total = choices.reduce((sum, { weight }) => sum + weight, 0);
    const { crash, suspend, stall, jump } = this.faults;
    if (crash > 0) choices.push({ weight: total * crash, run: () => this.crash(this.random.pick(running)) });
    if (suspend > 0) {
      choices.push({ weight: total * suspend, run: () => this.#suspend(this.random.pick(running)) });
    }
    if (stall > 0) choices.push({ weight: total * stall, run: () => this.#stall(this.random.pick(running)) });
    if (jump > 0) choices.push({ weight: total * jump, run: () => this.jump(this.#someJump(JUMPS_MS)) });
  }

  /** One of these, or nothing where it would be too far. */
  #someJump(jumpsMs: readonly number[]): number {
    const ms = this.random.pick(jumpsMs);
    return this.nowMs + ms - START_MS > this.jumpsMsMax ? 0 : ms;
  }

  jumpSome(jumpsMs: readonly number[]): void {
    this.jump(this.#someJump(jumpsMs));
  }

  /** A process sleeps longer than its lease: it wakes up as one that others have taken over from. */
  #stall(process: Process): void {
    this.#suspend(process);
    this.jump(this.random.between(31, 40) * SECOND_MS);
  }

  #running(): readonly Process[] {
    return this.processes.filter(({ dead, done }) => !dead && !done);
  }

  #suspend(process: Process): void {
    process.asleep = this.random.between(5, 80);
    this.say(`${process.name} is suspended`);
  }

  #wakeAll(): boolean {
    const sleeping = this.processes.filter(({ asleep }) => asleep > 0);
    for (const process of sleeping) process.asleep = 0;
    return sleeping.length > 0;
  }

  #clockText(): string {
    const ms = this.nowMs - START_MS;
    return `${(ms / 3_600_000).toFixed(4)}h`.padStart(9);
  }
}

/** One function instance at one request. */
export class Process {
  readonly name: string;
  readonly skewMs: number;
  readonly outlives: boolean;
  startedMs = 0;
  /** Named when its request begins to be handled. */
  attemptId: string | null = null;
  dead = false;
  done = false;
  /** Steps until it goes on. */
  asleep = 0;
  die: () => void = () => {};

  constructor(name: string, skewMs: number, outlives: boolean) {
    this.name = name;
    this.skewMs = skewMs;
    this.outlives = outlives;
  }
}

export interface Choice {
  readonly weight: number;
  readonly run: () => void;
}

export type Sent<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** It may have landed, may still land, or never. */
  | { readonly kind: "unanswered" };

/** Which of the promises of docs/architecture.md was broken, and how. 0: the rate of a key, which holds beside them. */
export interface Violation {
  readonly promise: 0 | 1 | 2 | 3 | 4 | 5 | 6;
  readonly message: string;
}

interface Pending {
  readonly process: Process | null;
  readonly label: string;
  readonly run: () => void;
  /** Its process died. */
  readonly abandon: () => void;
}

interface Flying {
  readonly label: string;
  readonly apply: () => unknown;
}

const START_MS = 1_700_000_000_000;
/** The clocks of two processes differ by up to twice this. */
export const SKEW_MS_MAX = 2_000;
const STEP_MS_MAX = 40;
const STEPS_MAX = 20_000;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
/** No byte is on its way for longer. */
const NETWORK_MS_MAX = 600 * SECOND_MS;
const JUMPS_MS = [
  6 * SECOND_MS,
  300 * SECOND_MS,
  HOUR_MS,
  22.9 * HOUR_MS,
  23.2 * HOUR_MS,
  24.3 * HOUR_MS,
  49 * HOUR_MS,
];

/** The kind of what came back, for the trace. */
function said(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${value}`;
  const { kind, reason } = value as { readonly kind?: unknown; readonly reason?: unknown };
  return reason === undefined ? `${kind ?? "done"}` : `${kind} ${reason}`;
}
