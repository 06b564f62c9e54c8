import { useState } from "preact/hooks";
import type { AuditRow, Key, Page } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { sinceHours } from "../audit/filters.ts";
import { counted } from "../format/count.ts";
import { roughUsd, sumUsd } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { useMay } from "../page/signed-in.ts";
import { CapBars } from "../parts/cap-bar.tsx";
import { Moment } from "../parts/moment.tsx";
import { Usd } from "../parts/usd.tsx";
import { SpendChart } from "../spend/spend-chart.tsx";
import { BlindStop } from "../stops/blind-stop.tsx";
import { isNearItsCap } from "./near-cap.ts";

const REFRESH_MS = 30_000;
const HOURS = 24;
const ROWS_MAX = 5;
const WINDOWS = [7, 30, 90] as const;

/** What may need somebody soon, and what was spent. */
export function Watch() {
  const mayStop = useMay("revoke");
  return (
    <>
      <div class="pair">
        <Unresolved />
        <NearCap />
      </div>
      <History />
      {mayStop && <BlindStop />}
    </>
  );
}

/** Calls whose outcome is not known: their dollars stay held. */
function Unresolved() {
  const [from] = useState(() => sinceHours(HOURS, Date.now()));
  const { data, failure } = usePoll("unresolved", REFRESH_MS, (signal) =>
    read<Page<AuditRow>>("vault/audit", { state: "unresolved", from, limit: 100 }, signal),
  );
  const rows = data?.data ?? [];
  const atLeast = data?.next_cursor == null ? "" : "at least ";
  return (
    <section aria-labelledby="unresolved-title">
      <h2 id="unresolved-title">Calls without a known outcome</h2>
      <div class="card">
        {failure !== null && <p class="note bad">They cannot be shown: {failure.message}.</p>}
        {data === null && failure === null && <p class="quiet">Looking…</p>}
        {data !== null && rows.length === 0 && <p class="quiet">None in the last 24 hours.</p>}
        {rows.length > 0 && (
          <>
            <p>
              <a href={hashOf("audit", { state: "unresolved", from })}>
                {atLeast}
                {counted(rows.length, "call")}
              </a>{" "}
              in 24 hours hold <b>{roughUsd(sumUsd(rows.map(({ reserved_usd }) => reserved_usd ?? 0)))}</b>
            </p>
            <ul class="brief">
              {rows.slice(0, ROWS_MAX).map((row) => (
                <li key={row.id}>
                  <a href={hashOf("audit", { call_id: row.call_id ?? "" })}>
                    {row.agent_run_label ?? row.key_id}
                  </a>{" "}
                  <Usd amount={row.reserved_usd} />{" "}
                  <span class="quiet">
                    <Moment at={row.at} />
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  );
}

const KEYS_READ_MAX = 300;

/** The newest live keys: reading all of them each time would be a scan. */
async function liveKeys(signal: AbortSignal) {
  const keys: Key[] = [];
  for (const status of ["exhausted", "active"]) {
    let cursor: string | null = null;
    let seen = 0;
    do {
      const page: Page<Key> = await read<Page<Key>>(
        "vault/keys",
        { status, limit: 100, ...(cursor !== null && { cursor }) },
        signal,
      );
      keys.push(...page.data);
      seen += 100;
      cursor = page.next_cursor;
    } while (cursor !== null && seen < KEYS_READ_MAX / 2);
  }
  return keys;
}

function NearCap() {
  const { data, failure } = usePoll("keys near their cap", REFRESH_MS, liveKeys);
  const near = (data ?? []).filter(isNearItsCap);
  return (
    <section aria-labelledby="near-title">
      <h2 id="near-title">Keys at or near their cap</h2>
      <div class="card">
        {failure !== null && <p class="note bad">They cannot be shown: {failure.message}.</p>}
        {data === null && failure === null && <p class="quiet">Looking…</p>}
        {data !== null && near.length === 0 && (
          <p class="quiet">None of the newest {KEYS_READ_MAX / 2} live keys.</p>
        )}
        <ul class="brief">
          {near.slice(0, ROWS_MAX).map((key) => (
            <li key={key.id}>
              <a href={hashOf("keys", { key: key.id })}>{key.agent_run_label ?? key.id}</a>
              <CapBars caps={key.caps} />
            </li>
          ))}
        </ul>
        {near.length > ROWS_MAX && (
          <p>
            <a href={hashOf("keys", { status: "exhausted" })}>
              {counted(near.length - ROWS_MAX, "more key")}
            </a>
          </p>
        )}
      </div>
    </section>
  );
}

function History() {
  const [days, setDays] = useState<number>(30);
  return (
    <section aria-labelledby="history-title">
      <div class="row">
        <h2 id="history-title">Spend by vendor</h2>
        <fieldset class="buttons">
          <legend class="heard">Window of the chart</legend>
          {WINDOWS.map((each) => (
            <button
              key={each}
              type="button"
              class="small"
              aria-pressed={days === each}
              onClick={() => setDays(each)}
            >
              {each} days
            </button>
          ))}
        </fieldset>
      </div>
      <div class="card">
        <SpendChart days={days} period="day" />
      </div>
    </section>
  );
}
