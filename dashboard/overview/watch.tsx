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
        {data !== null && rows.length === 0 && (
          <p class="quiet">
            {data.next_cursor === null ? (
              "None in the last 24 hours."
            ) : (
              <>
                None of the newest calls: 24 hours have more than one look reads.{" "}
                <a href={hashOf("audit", { state: "unresolved", from })}>Look at all of them</a>
              </>
            )}
          </p>
        )}
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

/** So many pages of exhausted keys, and of active ones: reading all of them each time would be a scan. */
const PAGES_MAX = 2;
const KEYS_OF_A_PAGE = 100;

interface LiveKeys {
  readonly keys: readonly Key[];
  /** Whether these are all that there are. */
  readonly isAll: boolean;
}

/** The newest keys that can be used, exhausted ones first. */
async function liveKeys(signal: AbortSignal): Promise<LiveKeys> {
  const keys: Key[] = [];
  let isAll = true;
  for (const status of ["exhausted", "active"]) {
    let cursor: string | null = null;
    for (let pages = 0; pages === 0 || (cursor !== null && pages < PAGES_MAX); pages++) {
      const asked = { status, limit: KEYS_OF_A_PAGE, ...(cursor !== null && { cursor }) };
      const page: Page<Key> = await read<Page<Key>>("vault/keys", asked, signal);
      keys.push(...page.data);
      cursor = page.next_cursor;
    }
    isAll &&= cursor === null;
  }
  return { keys, isAll };
}

function NearCap() {
  const { data, failure } = usePoll("keys near their cap", REFRESH_MS, liveKeys);
  const near = (data?.keys ?? []).filter(isNearItsCap);
  return (
    <section aria-labelledby="near-title">
      <h2 id="near-title">Keys at or near their cap</h2>
      <div class="card">
        {failure !== null && <p class="note bad">They cannot be shown: {failure.message}.</p>}
        {data === null && failure === null && <p class="quiet">Looking…</p>}
        {data !== null && near.length === 0 && <p class="quiet">None.</p>}
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
        {data?.isAll === false && (
          <p class="quiet">
            Of the newest {counted(data.keys.length, "key")} that can be used.{" "}
            <a href={hashOf("keys", { status: "exhausted" })}>All that are at their cap</a>
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
