/**
 * `node test/bench/memory.ts [proxy ms] [consumer ms] [init ms]`: what a memory size makes of time and dollars, computed from CPU that
 * is measured on this machine, or given. Not measured on AWS: a function of m MB is taken to have m / 1,769 of a core
 * (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html, read 2026-11-28), and a core there to be one here.
 */
import { measureCpu } from "./cpu.ts";
import { measureInit } from "./init.ts";

const MB_OF_A_CORE = 1_769;
const SIZES_MB = [128, 256, 512, 1_024, 1_769];
/** Dollars, arm64, us-east-1, first tier: aws.amazon.com/lambda/pricing, read 2026-11-28. */
const USD_OF_GB_S = 0.000_013_333_4;
const USD_OF_A_MILLION = 0.2;

/** What a call waits for: half a second for its vendor, and three trips of 4 ms. */
const CALL_WAITS_MS = 512;
/** A batch of 100 changes, 33 calls: reads and writes in some six trips. */
const BATCH_WAITS_MS = 24;
const CALLS_OF_A_BATCH = 33;

interface Work {
  readonly waitsMs: number;
  readonly cpuMs: number;
  /** Paid calls that one invocation is for. */
  readonly calls: number;
}

function costOf({ waitsMs, cpuMs, calls }: Work, mb: number) {
  const share = Math.min(1, mb / MB_OF_A_CORE);
  const addedMs = cpuMs / share;
  const gbS = ((waitsMs + addedMs) / 1_000) * (mb / 1_024);
  return { addedMs, usdOfAMillion: (gbS * USD_OF_GB_S * 1e6 + USD_OF_A_MILLION) / calls };
}

if (import.meta.main) {
  const given = process.argv.slice(2).map(Number);
  const [proxyMs = 0, consumerMs = 0, initMs = 0] = given.length === 3 ? given : await measured();
  console.log(
    "| memory | a paid call waits for CPU | a million of them | the consumer, a million calls | first answer |",
  );
  console.log("| --- | --- | --- | --- | --- |");
  for (const mb of SIZES_MB) {
    const call = costOf({ waitsMs: CALL_WAITS_MS, cpuMs: proxyMs, calls: 1 }, mb);
    const cpuMs = consumerMs * CALLS_OF_A_BATCH;
    const batch = costOf({ waitsMs: BATCH_WAITS_MS, cpuMs, calls: CALLS_OF_A_BATCH }, mb);
    const first = (initMs * MB_OF_A_CORE) / Math.min(mb, MB_OF_A_CORE);
    console.log(
      `| ${mb} MB | ${call.addedMs.toFixed(0)} ms | $${call.usdOfAMillion.toFixed(2)} | $${batch.usdOfAMillion.toFixed(2)} | ${first.toFixed(0)} ms |`,
    );
  }
}

async function measured(): Promise<readonly number[]> {
  const { proxyMs, consumerMs } = await measureCpu();
  const { ms } = await measureInit();
  console.log(
    `proxy ${proxyMs.toFixed(2)} ms, consumer ${consumerMs.toFixed(2)} ms, init ${ms["proxy-call"]?.toFixed(0)} ms`,
  );
  return [proxyMs, consumerMs, ms["proxy-call"] ?? Number.NaN];
}
