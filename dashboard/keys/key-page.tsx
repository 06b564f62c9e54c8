import { useState } from "preact/hooks";
import type { Key } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { usd } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { useMay } from "../page/signed-in.ts";
import { MomentAgo } from "../parts/ago.tsx";
import { CapBars } from "../parts/cap-bar.tsx";
import { Moment } from "../parts/moment.tsx";
import { Status } from "../parts/status.tsx";
import { StopButton } from "../stops/stop-button.tsx";
import { targetsOfKey } from "../stops/targets.ts";
import { ChangeDialog } from "./change-dialog.tsx";
import { Children } from "./children.tsx";
import { RevokeDialog } from "./revoke-dialog.tsx";

const REFRESH_MS = 5_000;

/** One key: what is left, what it may do, what can be done about it, and the keys below it. */
export function KeyPage({ id }: { readonly id: string }) {
  const {
    data: key,
    failure,
    refresh,
  } = usePoll(id, REFRESH_MS, (signal) => read<Key>(`vault/keys/${encodeURIComponent(id)}`, {}, signal));
  return (
    <>
      <p>
        <a href={hashOf("keys")}>All keys</a>
      </p>
      {failure !== null && (
        <p class="note bad" role="alert">
          {key === null ? "The key cannot be shown" : "What is shown may be old"}: {failure.message}.
        </p>
      )}
      {key === null && failure === null && <p class="loading">Reading the key…</p>}
      {key !== null && <Shown of={key} onChanged={refresh} />}
    </>
  );
}

function Shown({ of: key, onChanged }: { readonly of: Key; readonly onChanged: () => void }) {
  const mayIssue = useMay("issue");
  const mayRevoke = useMay("revoke");
  const [asked, setAsked] = useState<"change" | "revoke" | null>(null);
  const isUsable = key.status === "active" || key.status === "exhausted";
  const close = () => {
    setAsked(null);
    onChanged();
  };
  return (
    <>
      <section class="card key" aria-labelledby="key-title">
        <div class="row">
          <h1 id="key-title" class="run-name">
            {key.agent_run_label ?? key.id}
          </h1>
          <Status of={key.status} />
        </div>
        <CapBars caps={key.caps} />
        <div class="buttons">
          {mayIssue && key.status !== "revoked" && (
            <button type="button" onClick={() => setAsked("change")}>
              Change caps or expiry
            </button>
          )}
          {mayRevoke && key.status !== "revoked" && (
            <button type="button" class="stop" onClick={() => setAsked("revoke")}>
              Revoke this key
            </button>
          )}
          {mayRevoke && <StopButton label="Stop its run" targets={targetsOfKey(key)} />}
        </div>
        {mayRevoke && isUsable && (
          <p class="quiet">A run that issues its own keys goes on after a revocation: stop it instead.</p>
        )}
      </section>
      <Policy of={key} />
      <Children of={key} />
      {asked === "change" && <ChangeDialog of={key} onClose={close} />}
      {asked === "revoke" && <RevokeDialog of={key} onClose={close} />}
    </>
  );
}

function Policy({ of: key }: { readonly of: Key }) {
  const lists = [
    ["Accounts", key.allowed_accounts],
    ["Currencies", key.allowed_currencies],
    ["Recipients", key.allowed_recipients],
  ] as const;
  return (
    <section aria-labelledby="policy-title">
      <h2 id="policy-title">What it is</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd class="id">{key.id}</dd>
        <dt>Vendor</dt>
        <dd>
          {key.vendor}, credential {key.credential}
          {key.mode === "observe" && ", only observes"}
        </dd>
        <dt>Issued</dt>
        <dd>
          <MomentAgo at={key.issued_at} /> by{" "}
          {key.parent_id === null ? (
            key.issuer_id
          ) : (
            <a href={hashOf("keys", { key: key.parent_id })}>{key.parent_id}</a>
          )}
        </dd>
        <dt>{key.revoked_at === null ? "Expires" : "Revoked"}</dt>
        <dd>
          <Moment at={key.revoked_at ?? key.expires_at} />
        </dd>
        {key.per_call_usd_cap !== null && (
          <>
            <dt>Each call</dt>
            <dd>at most {usd(key.per_call_usd_cap)}</dd>
          </>
        )}
        {key.max_calls_per_minute !== null && (
          <>
            <dt>Rate</dt>
            <dd>at most {key.max_calls_per_minute} calls a minute</dd>
          </>
        )}
        <dt>May call</dt>
        <dd>
          {key.allowed_endpoints === null ? (
            "everything that its vendor's catalog prices or knows to be free"
          ) : (
            <code>{key.allowed_endpoints.join(", ")}</code>
          )}
        </dd>
        {lists.map(
          ([name, values]) =>
            values !== null && (
              <>
                <dt>{name}</dt>
                <dd>{values.join(", ")}</dd>
              </>
            ),
        )}
        {Object.entries(key.metadata).map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
        <dt>Its calls</dt>
        <dd>
          <a href={hashOf("audit", { key_id: key.id })}>in the audit log</a>
        </dd>
      </dl>
    </section>
  );
}
