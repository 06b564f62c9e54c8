import type { AuditEvent, AuditRow, Page } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { hashOf } from "../page/address.ts";
import { useLogin } from "../page/signed-in.ts";
import { Moment } from "../parts/moment.tsx";
import { factsOf, textOf } from "./facts.ts";
import { type Link, linksOfObject, linksOfRequest } from "./links.ts";

/** All that is known of a row, with the events that made it and links to what it did at the vendor. */
export function RowDetail({ of: row }: { readonly of: AuditRow }) {
  return (
    <>
      {row.call_id !== null && <Events of={row} callId={row.call_id} />}
      <dl class="facts many">
        {factsOf(row).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Fact row={row} name={name} value={value} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Fact({
  row,
  name,
  value,
}: {
  readonly row: AuditRow;
  readonly name: string;
  readonly value: string;
}) {
  const { vendors } = useLogin();
  const page = vendors.find((vendor) => vendor.name === row.vendor)?.page ?? null;
  switch (name) {
    case "key_id":
      return value.startsWith("key_") ? <a href={hashOf("keys", { key: value })}>{value}</a> : value;
    case "agent_run_label":
      return <a href={hashOf("audit", { agent_run_label: value })}>{value}</a>;
    case "call_id":
      return <a href={hashOf("audit", { call_id: value })}>{value}</a>;
    case "vendor_request_id":
      return <WithLinks value={value} links={linksOfRequest(page, value)} />;
    case "vendor_object_id":
    case "vendor_customer_id":
      return <WithLinks value={value} links={linksOfObject(page, value)} />;
    default:
      return <>{value}</>;
  }
}

/** Opens the vendor's page in a tab of its own, which learns nothing of this one. */
function WithLinks({ value, links }: { readonly value: string; readonly links: readonly Link[] }) {
  return (
    <>
      {value}{" "}
      {links.map(({ name, href }) => (
        <a
          key={name}
          class="beside"
          href={href}
          target="_blank"
          rel="noopener noreferrer"
          aria-label={`${value}, ${name}`}
        >
          {name}
        </a>
      ))}
    </>
  );
}

function Events({ of: row, callId }: { readonly of: AuditRow; readonly callId: string }) {
  const { data, failure } = usePoll(row.id, null, (signal) =>
    read<Page<AuditRow>>("vault/audit", { call_id: callId, events: "true", limit: 100 }, signal),
  );
  const events = data?.data.find(({ id }) => id === row.id)?.events ?? null;
  const attempts = data?.data.length ?? 0;
  if (failure !== null) return <p class="note bad">Its events cannot be shown: {failure.message}.</p>;
  if (data === null) return <p class="quiet">Reading its events…</p>;
  return (
    <>
      <h3>Events{attempts > 1 && <span class="quiet"> of this one of {attempts} attempts</span>}</h3>
      <ol class="events">
        {(events ?? []).map((event) => (
          <Event key={event.id} of={event} />
        ))}
      </ol>
    </>
  );
}

const TOLD = ["requested_usd", "reserved_usd", "cost_usd", "vendor_status", "reason", "by"] as const;

function Event({ of: event }: { readonly of: AuditEvent }) {
  const told = TOLD.flatMap((name) => (event[name] == null ? [] : [`${name} ${textOf(name, event[name])}`]));
  return (
    <li>
      <b>{event.event}</b> <span class="quiet">{told.join(" · ")}</span> <Moment at={event.at} />
    </li>
  );
}
