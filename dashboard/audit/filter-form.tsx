import { useId } from "preact/hooks";
import { localShiftMs } from "../format/time.ts";
import { useVendors } from "../page/signed-in.ts";
import { Choice, Field } from "../parts/field.tsx";
import { type AuditFilter, FIRST_FILTERS, localOf, STATES, sinceHours, utcOf } from "./filters.ts";

type Asked = Partial<Record<AuditFilter, string>>;

/** What is asked of the log. Every change is in the address at once. */
export function FilterForm({
  asked,
  onAsked,
}: {
  readonly asked: Asked;
  readonly onAsked: (asked: Asked) => void;
}) {
  const vendors = useVendors();
  const set = (name: AuditFilter) => (value: string) => onAsked({ ...asked, [name]: value.trim() });
  const value = (name: AuditFilter) => asked[name] ?? "";
  const hasMore = Object.keys(asked).some((name) => !FIRST_FILTERS.includes(name as AuditFilter));
  return (
    <search>
      <div class="filters lead">
        <Field
          label="Run (a last * is any ending)"
          value={value("agent_run_label")}
          placeholder="modal-billing/*"
          onValue={set("agent_run_label")}
        />
        <Choice label="Vendor" value={value("vendor")} onValue={set("vendor")}>
          <option value="">All</option>
          {vendors.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </Choice>
        <Choice label="State" value={value("state")} onValue={set("state")}>
          <option value="">All</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {state}
            </option>
          ))}
        </Choice>
      </div>
      <details class="more-filters" open={hasMore}>
        <summary>Time, key, call</summary>
        <div class="filters">
          <Instant label="From (local time)" value={value("from")} onValue={set("from")} />
          <Instant label="To (local time)" value={value("to")} onValue={set("to")} />
          <Field label="Key id" value={value("key_id")} placeholder="key_…" onValue={set("key_id")} />
          <Field label="Call id" value={value("call_id")} placeholder="call_…" onValue={set("call_id")} />
          <Choice label="Decision" value={value("decision")} onValue={set("decision")}>
            <option value="">All</option>
            <option value="allowed">allowed</option>
            <option value="denied">denied</option>
          </Choice>
          <Choice label="Cost more than reserved" value={value("overrun")} onValue={set("overrun")}>
            <option value="">All</option>
            <option value="true">yes</option>
            <option value="false">no</option>
          </Choice>
        </div>
        <div class="buttons">
          {[1, 24, 168].map((hours) => (
            <button
              key={hours}
              type="button"
              class="plain"
              onClick={() => onAsked({ ...asked, from: sinceHours(hours, Date.now()), to: "" })}
            >
              {hours === 1 ? "Last hour" : hours === 24 ? "Last 24 hours" : "Last 7 days"}
            </button>
          ))}
          <button type="button" class="plain" onClick={() => onAsked({})}>
            Take all filters away
          </button>
        </div>
      </details>
    </search>
  );
}

/** A time in the zone of this browser; the address has it in UTC. */
function Instant({
  label,
  value,
  onValue,
}: {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="datetime-local"
        value={localOf(value, localShiftMs)}
        onChange={(event) => onValue(utcOf(event.currentTarget.value, localShiftMs))}
      />
    </div>
  );
}
