/**
 * The product broken on purpose, one protection at a time: what the simulation must notice.
 *
 * `find` stands in its file exactly once, so that a break cannot miss what it is meant for. Where a protection lies in
 * `DynamoVault`, the port that simulates it is broken in the same way.
 */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The promises of which one is seen broken. */
  readonly promises: readonly number[];
  readonly schedulesMax: number;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "forwards before the reservation is durable",
    file: "lambda/app/proxy/reserve.ts",
    find: "const reservation = await drawChain(row, note, ports);",
    replace:
      "void drawChain(row, note, ports); const drawnFrom = attempt.windows.map(({ keyId }) => keyId); " +
      "const reservation: Reservation = { drawn: drawnFrom, ambiguous: [], leaf: null, refusal: null, refusals: [], " +
      "drawnUntilMs: Infinity, wouldRefuse: [], uncounted: [] };",
    promises: [2],
    schedulesMax: 50,
  },
  {
    name: "forwards though a draw of the chain was refused",
    file: "lambda/app/proxy/reserve.ts",
    find: "reservation.drawn.length === attempt.windows.length",
    replace: "reservation.drawn.length > 0",
    promises: [2, 5],
    schedulesMax: 200,
  },
  {
    name: "gives back on an unknown outcome",
    file: "lambda/domain/call/fold.ts",
    find: '} else if (result.kind === "unknown") {\n    change.mark(attempt, "unresolved");',
    replace: '} else if (result.kind === "unknown") {\n    change.release(attempt, "released");',
    promises: [1, 3],
    schedulesMax: 200,
  },
  {
    name: "sends a give-back again that was not acknowledged",
    file: "test/simulation/faulty-vault.ts",
    find: "const sent = await this.#once(label, () => this.#state.correct(correction));",
    replace:
      'const sent = { kind: "answered", value: await this.#repeated(label, () => this.#state.correct(correction)) } as const;',
    promises: [1, 3],
    schedulesMax: 200,
  },
  {
    name: "sends a draw again that was not acknowledged",
    file: "test/simulation/faulty-vault.ts",
    find: "const sent = await this.#once(label, () => this.#state.draw(draw, form));",
    replace:
      'const sent = { kind: "answered", value: await this.#repeated(label, () => this.#state.draw(draw, form)) } as const;',
    promises: [4],
    schedulesMax: 200,
  },
  {
    name: "releases the call when a retry is refused",
    file: "lambda/domain/call/fold.ts",
    find: '  change.mark(attempt, result.kind === "denied" ? "denied" : "joined");',
    replace:
      '  change.mark(attempt, result.kind === "denied" ? "denied" : "joined");\n' +
      '  if (result.kind === "refused" && change.payingAttemptId === null) for (const held of change.unresolved()) change.release(held, "released");',
    promises: [1, 3],
    schedulesMax: 2_000,
  },
  {
    name: "joins a call that holds nothing",
    file: "lambda/domain/call/claim.ts",
    find: 'return record.status === "unresolved" || record.status === "settled" ? "join" : "claim";',
    replace: 'return "join";',
    promises: [2],
    schedulesMax: 200,
  },
  {
    name: "ignores the lease of an attempt in flight",
    file: "lambda/domain/call/claim.ts",
    find: 'if (record.lease !== null && record.lease.untilMs >= nowMs) return "busy";',
    replace: "",
    promises: [4],
    schedulesMax: 200,
  },
  {
    name: "does not check revocation when it joins",
    file: "lambda/app/proxy/claim.ts",
    find: "seen.problem ?? dearerProblem(landed, paid.price)",
    replace:
      '(seen.problem?.code === "rate_limited" ? seen.problem : null) ?? dearerProblem(landed, paid.price)',
    promises: [5],
    schedulesMax: 2_000,
  },
  {
    name: "lets no key of a chain refuse where one of them only observes",
    file: "lambda/app/proxy/draw-chain.ts",
    find: 'observes: member?.mode === "observe",',
    replace: 'observes: policy.chain.some(({ mode }) => mode === "observe"),',
    promises: [0, 1, 3],
    schedulesMax: 2_000,
  },
  {
    name: "draws without a count",
    file: "lambda/app/proxy/draw-chain.ts",
    find: "count: member === undefined ? null : countOf(member, nowMs),",
    replace: "count: member === undefined ? countOf({ keyId, issuedAtMs }, nowMs) : null,",
    promises: [0],
    schedulesMax: 100,
  },
  {
    name: "draws beyond a rate",
    file: "lambda/domain/balance.ts",
    find: 'if (count !== null && isFull(balance.minuteCalls, count)) return "rate";',
    replace: "",
    promises: [0],
    schedulesMax: 500,
  },
  {
    name: "counts a free call beyond a rate",
    file: "lambda/domain/balance.ts",
    find: 'return !call.observes && isFull(balance.minuteCalls, call.count) ? "rate" : null;',
    replace: "return null;",
    promises: [0],
    schedulesMax: 1_000,
  },
  {
    name: "only reads the keys of a free call",
    file: "lambda/app/proxy/record-free-call.ts",
    find: "checkIn(row, ports)",
    replace: "checkIn({ ...row, uncounted: [] }, ports)",
    promises: [0],
    schedulesMax: 500,
  },
  {
    name: "only reads the keys of a call that joins",
    file: "lambda/app/proxy/claim.ts",
    find: "checkIn(paid.row, ports)",
    replace: "checkIn({ ...paid.row, uncounted: [] }, ports)",
    promises: [0],
    schedulesMax: 1_000,
  },
  {
    name: "begins a minute that another process has begun",
    file: "lambda/domain/call-rate.ts",
    find: "stored.minute >= minute : stored.minute === form.after",
    replace: "stored.minute >= minute : stored.minute <= minute",
    promises: [0],
    schedulesMax: 5_000,
  },
  {
    name: "goes back to the minute of a clock that is behind",
    file: "lambda/domain/call-rate.ts",
    find: 'form.kind === "same" ? { ...stored, calls: stored.calls + 1 }',
    replace: 'form.kind === "same" ? { minute, calls: stored.minute === minute ? stored.calls + 1 : 1 }',
    promises: [0],
    schedulesMax: 5_000,
  },
  {
    name: "does not look at an API key that it takes nothing from",
    file: "lambda/app/proxy/draw-chain.ts",
    find: "onlyRead.length === 0 ? [] : refusalsOf(onlyRead, vault.balances, nowMs)",
    replace: "onlyRead.length < 10 ? [] : refusalsOf(onlyRead, vault.balances, nowMs)",
    promises: [5],
    schedulesMax: 2_000,
  },
  {
    name: "goes on where an API key cannot be read",
    file: "lambda/app/proxy/draw-chain.ts",
    find: 'read === null ? "fenced" : standing(balance, nowMs)',
    replace: 'read === null ? "active" : standing(balance, nowMs)',
    promises: [5],
    schedulesMax: 10_000,
  },
  {
    name: "takes nothing from API keys with caps",
    file: "lambda/domain/call/record.ts",
    find: ".filter(({ onlyRead }) => onlyRead !== true)",
    replace: '.filter(({ onlyRead, keyId }) => onlyRead !== true && !keyId.startsWith("ak_"))',
    promises: [2],
    schedulesMax: 200,
  },
  {
    name: "takes what it has counted for what an object is",
    file: "lambda/vendors/stripe/pricing.ts",
    find: "uncounted(known.object, cost.amount)",
    replace: "known.object === null ? cost.amount : NOTHING",
    promises: [1, 2, 3],
    schedulesMax: 500,
  },
  {
    name: "does not check revocation of a free call",
    file: "lambda/app/proxy/record-free-call.ts",
    find: "const { problem, leaf } = seen;",
    replace:
      'const { leaf } = seen; const problem = seen.problem?.code === "rate_limited" ? seen.problem : null;',
    promises: [5],
    schedulesMax: 500,
  },
  {
    name: "does not check revocation when it draws",
    file: "lambda/domain/balance.ts",
    find: "const ended = endOf(balance, draw.nowMs);",
    replace: "const ended = balance === null ? endOf(balance, draw.nowMs) : null;",
    promises: [5],
    schedulesMax: 500,
  },
  {
    name: "keeps one window: a give-back lands in the latest",
    file: "lambda/domain/balance.ts",
    find: "return moved(balance, correction.window, correction.amount);",
    replace:
      "return moved(balance, Math.max(...Object.keys(balance.leftByWindow).map(Number)), correction.amount);",
    promises: [1, 3, 4],
    schedulesMax: 2_000,
  },
  {
    name: "names a draw by its call",
    file: "test/simulation/faulty-vault.ts",
    find: "last?.attemptId === attemptId",
    replace: "last?.callId === draw.callId",
    promises: [2, 3],
    schedulesMax: 10_000,
  },
  {
    name: "recalls longer than the vendor replays",
    file: "lambda/app/proxy/claim.ts",
    find: "const RECALL_MARGIN_MS = 3_600_000;",
    replace: "const RECALL_MARGIN_MS = -48 * 3_600_000;",
    promises: [1, 2, 3],
    schedulesMax: 2_000,
  },
  {
    name: "takes a replay for a call that cost nothing",
    file: "lambda/domain/call/fold.ts",
    find: "if (payingAttemptId === null && held !== undefined) change.settle(held, result);",
    replace:
      "if (payingAttemptId === null && held !== undefined) change.settle(held, result.replayed ? { ...result, price: minus(NOTHING, NOTHING) } : result);",
    promises: [1, 3],
    schedulesMax: 500,
  },
  {
    name: "tells a retry that there is no budget, which its own call holds",
    file: "lambda/app/proxy/denials.ts",
    find: "othersHold(folded.record, attemptId)",
    replace: "false",
    promises: [4],
    schedulesMax: 5_000,
  },
  {
    name: "saves an outcome over another",
    file: "test/support/memory-vault.ts",
    find: "if (expectedVersion === 0 ? current !== null : current?.version !== expectedVersion)",
    replace: "if (expectedVersion === 0 && current !== null)",
    promises: [1, 2, 3, 4, 6],
    schedulesMax: 5_000,
  },
  {
    name: "changes a cap without a window that opens meanwhile",
    file: "test/support/memory-vault.ts",
    find: "if (unopened.some((window) => balance.leftByWindow[window] !== undefined)) return null;",
    replace: "",
    promises: [1, 3, 4],
    schedulesMax: 5_000,
  },
  {
    name: "drops what an outcome released before the stream has told it",
    file: "lambda/app/proxy/record-outcome.ts",
    find: "await vault.calls.save(next, record.version, effect);",
    replace: "await vault.calls.save(pruned(next, attemptId), record.version, effect);",
    promises: [3, 6],
    schedulesMax: 2_000,
  },
  {
    name: "opens an attempt again when its claim arrives late",
    file: "test/support/memory-vault.ts",
    find: 'if (record !== null && attempt.attemptId in record.attempts) return { kind: "busy" };',
    replace: "",
    promises: [3, 6],
    schedulesMax: 2_000,
  },
  {
    name: "names the record of a refusal by another generation",
    file: "lambda/app/proxy/claim.ts",
    find: "const beside = onRecord(paid.row, deniedRecordId(callId, attempt.attemptId));",
    replace:
      'const beside = onRecord(paid.row, deniedRecordId(callId.split("~", 1)[0] ?? callId, attempt.attemptId));',
    promises: [6],
    schedulesMax: 5_000,
  },
  {
    name: "takes a draw whose every send was throttled for one that landed",
    file: "test/simulation/faulty-vault.ts",
    find: 'if (await this.#throttledOut(label)) return { kind: "not_applied" };',
    replace:
      "const taken = this.#state.balances.get(keyId); " +
      'if ((await this.#throttledOut(label)) && taken !== undefined) return { kind: "drawn", balance: taken };',
    promises: [2, 3],
    schedulesMax: 200,
  },
  {
    name: "forgets a correction that was not acknowledged",
    file: "lambda/app/proxy/send-corrections.ts",
    find: 'return result?.status === "fulfilled" && result.value === "applied";',
    replace: 'return result?.status === "fulfilled";',
    promises: [3],
    schedulesMax: 2_000,
  },
  {
    name: "keeps every correction on the record",
    file: "lambda/app/proxy/send-corrections.ts",
    find: "if (applied.length === 0 || Object.keys(record.corrections).length <= CORRECTIONS_KEPT) return;",
    replace: "if (applied.length >= 0) return;",
    promises: [6],
    schedulesMax: 5_000,
  },
  {
    name: "takes corrections off a record without a new version",
    file: "lambda/domain/call/corrections.ts",
    find: "return { ...record, version: record.version + 1, corrections: Object.fromEntries(left) };",
    replace: "return { ...record, corrections: Object.fromEntries(left) };",
    promises: [6],
    schedulesMax: 10_000,
  },
  {
    name: "forwards a free call that is on no record",
    file: "lambda/app/proxy/record-free-call.ts",
    find: "await Promise.all([vault.calls.save(record, 0, null), checkIn(row, ports)]);",
    replace:
      'await Promise.all([vault.calls.save(record, 0, null).catch(() => ({ kind: "saved" }) as const), checkIn(row, ports)]);',
    promises: [6],
    schedulesMax: 2_000,
  },
  {
    name: "counts a late price twice where two runs meet",
    file: "lambda/app/audit/settle-late-prices.ts",
    find: "const corrections = now === null ? [] : correctionsBy(now, writer);",
    replace: "const corrections = now === null ? [] : correctionsBy(next, writer);",
    promises: [3, 4],
    schedulesMax: 2_000,
  },
  {
    name: "does not send the correction of a late price",
    file: "lambda/app/audit/settle-late-prices.ts",
    find: "if (now !== null) await sendCorrections({ record: now, corrections }, vault);",
    replace: "",
    promises: [4],
    schedulesMax: 200,
  },
  {
    name: "does not know its write of a late price again after a lost reply",
    file: "lambda/app/audit/settle-late-prices.ts",
    find: 'const now = saved.kind === "saved" ? next : saved.kind === "stale" ? saved.record : null;',
    replace: 'const now = saved.kind === "saved" ? next : null;',
    promises: [4],
    schedulesMax: 2_000,
  },
  {
    name: "does not know its outcome again after a lost reply",
    file: "lambda/app/proxy/record-outcome.ts",
    find: "return { record, corrections: correctionsBy(record, attemptId) };",
    replace: "return { record, corrections: [] };",
    promises: [4],
    schedulesMax: 2_000,
  },
  {
    name: "sends the correction of a late price before its record is written",
    file: "lambda/app/audit/settle-late-prices.ts",
    find: "const saved = await vault.calls.save(next, record.version, null);",
    replace:
      "await sendCorrections({ record: next, corrections: settled?.corrections ?? [] }, vault); " +
      "const saved = await vault.calls.save(next, record.version, null); " +
      'if (saved.kind === "saved") return settled === null ? "waiting" : "settled";',
    promises: [3, 4],
    schedulesMax: 2_000,
  },
  {
    name: "forgets a call before its price is known",
    file: "lambda/domain/call/retention.ts",
    find: "if (isUndecided || record.latePrice !== null) return null;",
    replace: "if (isUndecided) return null;",
    promises: [3],
    schedulesMax: 2_000,
  },
  {
    name: "does not tell a late price",
    file: "lambda/domain/audit-event.ts",
    find: "return was?.state !== attempt.state || was.lateAtMs !== attempt.lateAtMs;",
    replace: "return was?.state !== attempt.state;",
    promises: [6],
    schedulesMax: 200,
  },
  {
    name: "takes what met another transaction for what is recorded already",
    file: "lambda/adapters/dynamo-audit-log.ts",
    find: 'missing = missing.filter((_, index) => reasons[index] !== "ConditionalCheckFailed");',
    replace: 'missing = missing.filter((_, index) => reasons[index] === "None");',
    promises: [6],
    schedulesMax: 2_000,
  },
  {
    name: "notes an end before its outcome is on the log",
    file: "lambda/app/audit/record-audit.ts",
    find: "    await log.append(told.filter((event) => !isBeginning(event)));\n" + "    await evidence.note(",
    replace:
      "    await journal.note({ begun, looseEnds, ended: [...ended] });\n" +
      "    await log.append(told.filter((event) => !isBeginning(event)));\n" +
      "    await evidence.note(",
    promises: [6],
    schedulesMax: 2_000,
  },
  {
    name: "adds an event to the sums each time it is delivered",
    file: "lambda/adapters/dynamo-audit-log.ts",
    find: 'ConditionExpression: "attribute_not_exists(pk)",',
    replace: "",
    promises: [6],
    schedulesMax: 100,
  },
  {
    name: "adds to the sums outside of the transaction of their events",
    file: "lambda/adapters/dynamo-audit-log.ts",
    find: "await this.#client.send(new TransactWriteItemsCommand({ TransactItems: this.#writes(missing) }));",
    replace:
      "const items = this.#writes(missing); " +
      "await this.#client.send(new TransactWriteItemsCommand({ TransactItems: items.slice(0, missing.length) })); " +
      "await this.#client.send(new TransactWriteItemsCommand({ TransactItems: items.slice(missing.length) }));",
    promises: [6],
    schedulesMax: 200,
  },
  {
    name: "adds what is recorded already to the sums again",
    file: "lambda/adapters/dynamo-audit-log.ts",
    find: "TransactItems: this.#writes(missing) }",
    replace:
      "TransactItems: [...this.#writes(missing).slice(0, missing.length), ...this.#writes(events).slice(events.length)] }",
    promises: [6],
    schedulesMax: 200,
  },
  {
    name: "notes what began and ended after the batch is acknowledged",
    file: "lambda/app/audit/record-audit.ts",
    find: "await journal.note({ begun, looseEnds, ended: [...ended] });",
    replace: "void journal.note({ begun, looseEnds, ended: [...ended] }).catch(() => {});",
    promises: [6],
    schedulesMax: 500,
  },
  {
    name: "forgets to note what ended",
    file: "lambda/app/audit/record-audit.ts",
    find: "journal.note({ begun, looseEnds, ended: [...ended] })",
    replace: "journal.note({ begun, looseEnds, ended: [] })",
    promises: [6],
    schedulesMax: 50,
  },
  {
    name: "takes the last record of a failed batch for its checkpoint",
    file: "lambda/app/audit/record-audit.ts",
    find: "return { failedAt: 0, cause };\n  }\n  await afterwards",
    replace: "return { failedAt: changes.length - 1, cause };\n  }\n  await afterwards",
    promises: [6],
    schedulesMax: 500,
  },
  {
    name: "marks as swept what is not on the log yet",
    file: "lambda/app/audit/sweep-journal.ts",
    find: "await log.append(events);\n",
    replace: "await journal.markSwept(toMs);\n    await log.append(events);\n",
    promises: [6],
    schedulesMax: 2_000,
  },
  {
    name: "sweeps from later than the last sweep ended",
    file: "lambda/app/audit/sweep-journal.ts",
    find: "const LATE_NOTES_MS = 60_000;",
    replace: "const LATE_NOTES_MS = -3_600_000;",
    promises: [6],
    schedulesMax: 100,
  },
  {
    name: "shows an attempt as open that has an outcome",
    file: "lambda/domain/audit-event.ts",
    find: 'OUTCOMES.includes(event) ? 2 : event === "open" ? 1 : 0;',
    replace: 'OUTCOMES.includes(event) ? 1 : event === "open" ? 2 : 0;',
    promises: [6],
    schedulesMax: 200,
  },
  {
    name: "makes a row of each draw of the chain",
    file: "test/support/memory-vault.ts",
    find: "if (isLeaf) {",
    replace: "if (isLeaf || keyId !== atMs.toString()) {",
    promises: [6],
    schedulesMax: 500,
  },
];
