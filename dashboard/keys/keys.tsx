import { useState } from "preact/hooks";
import type { IssuedKey, Key } from "../api/answers.ts";
import { useList } from "../api/use-list.ts";
import { type Filters, hashOf } from "../page/address.ts";
import { useMay, useVendors } from "../page/signed-in.ts";
import { showFilters } from "../page/use-place.ts";
import { Choice, Field } from "../parts/field.tsx";
import { ListEnd } from "../parts/list-end.tsx";
import { ColumnHead, Table, TableBody, TableHead, TableRow } from "../parts/table.tsx";
import { IssueForm } from "./issue-form.tsx";
import { Issued } from "./issued.tsx";
import { KeyPage } from "./key-page.tsx";
import { KeyRow } from "./key-row.tsx";

const REFRESH_MS = 10_000;
const STATUSES = ["active", "exhausted", "expired", "revoked"];

/** Vault keys: the list, one of them, or a new one. The address says which. */
export function Keys({ filters }: { readonly filters: Filters }) {
  const mayRead = useMay("read");
  const mayIssue = useMay("issue");
  const [issued, setIssued] = useState<IssuedKey | null>(null);
  if (issued !== null) return <Issued issued={issued} onDone={() => setIssued(null)} />;
  if (mayIssue && (filters["new"] !== undefined || !mayRead)) return <IssueForm onIssued={setIssued} />;
  const id = filters["key"];
  return id === undefined ? <KeyList filters={filters} /> : <KeyPage key={id} id={id} />;
}

function KeyList({ filters }: { readonly filters: Filters }) {
  const vendors = useVendors();
  const mayIssue = useMay("issue");
  const { label = "", vendor = "", status = "" } = filters;
  const list = useList<Key>(
    "vault/keys",
    { agent_run_label: label === "" ? "" : `${label.replace(/\*$/, "")}*`, vendor, status, limit: 50 },
    REFRESH_MS,
  );
  const change = (changed: Filters) => showFilters("keys", { ...filters, ...changed });
  return (
    <>
      <div class="row">
        <h1>Vault keys</h1>
        {mayIssue && (
          <a class="button" href={hashOf("keys", { new: "1" })}>
            Issue a key
          </a>
        )}
      </div>
      <search class="filters lead">
        <Field
          label="Label begins with"
          value={label}
          placeholder="modal-billing/"
          onValue={(text) => change({ label: text })}
        />
        <Choice label="Vendor" value={vendor} onValue={(text) => change({ vendor: text })}>
          <option value="">All</option>
          {vendors.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </Choice>
        <Choice label="Status" value={status} onValue={(text) => change({ status: text })}>
          <option value="">All</option>
          {STATUSES.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </Choice>
      </search>
      {list.rows.length > 0 && (
        <Table class="keys">
          <TableHead>
            <TableRow>
              <ColumnHead>Key</ColumnHead>
              <ColumnHead>Vendor</ColumnHead>
              <ColumnHead>Caps</ColumnHead>
              <ColumnHead>Ends</ColumnHead>
              <ColumnHead>Status</ColumnHead>
            </TableRow>
          </TableHead>
          <TableBody>
            {list.rows.map((key) => (
              <KeyRow key={key.id} of={key} />
            ))}
          </TableBody>
        </Table>
      )}
      <ListEnd
        list={list}
        empty={
          label + vendor + status === ""
            ? "There is no vault key yet. Issue one, or let a job do so: POST /vault/keys."
            : "No key matches. Take a filter away."
        }
      />
    </>
  );
}
