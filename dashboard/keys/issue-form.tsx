import { useState } from "preact/hooks";
import type { IssuedKey } from "../api/answers.ts";
import { send } from "../api/client.ts";
import { hashOf } from "../page/address.ts";
import { useMay, useVendors } from "../page/signed-in.ts";
import { showFilters } from "../page/use-place.ts";
import { Choice, Field } from "../parts/field.tsx";
import { bodyOf, EMPTY, type IssueFields } from "./issue.ts";
import { useSending } from "./use-sending.ts";

/** A new vault key. What is left empty is as the API has it by default. */
export function IssueForm({ onIssued }: { readonly onIssued: (issued: IssuedKey) => void }) {
  const vendors = useVendors();
  const mayRead = useMay("read");
  const [first] = vendors;
  const [fields, setFields] = useState<IssueFields>({
    ...EMPTY,
    vendor: first?.name ?? "",
    endpoints: first?.page?.endpoint ?? "",
  });
  const { isSending, failure, sending } = useSending();
  const set = (name: keyof IssueFields) => (value: string) => setFields({ ...fields, [name]: value });
  const choose = (vendor: string) => {
    const endpoint = vendors.find(({ name }) => name === vendor)?.page?.endpoint ?? "";
    setFields({ ...fields, vendor, endpoints: endpoint });
  };
  const issue = () =>
    sending(async () => {
      const issued = await send<IssuedKey>("POST", "vault/keys", bodyOf(fields));
      onIssued(issued);
      showFilters("keys", {});
    });
  return (
    <section class="stack" aria-labelledby="issue-title">
      {mayRead && (
        <p>
          <a href={hashOf("keys")}>All keys</a>
        </p>
      )}
      <h1 id="issue-title">Issue a vault key</h1>
      <form
        class="card issue"
        onSubmit={(event) => {
          event.preventDefault();
          void issue();
        }}
      >
        <Choice label="Vendor" value={fields.vendor} onValue={choose}>
          {vendors.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </Choice>
        <Field
          label="Label of the run"
          value={fields.label}
          placeholder="modal-billing/cus_A"
          onValue={set("label")}
        />
        <Field
          label="Daily cap in USD"
          isAmount
          value={fields.daily}
          placeholder="50"
          onValue={set("daily")}
        />
        <Field
          label="Total cap in USD"
          isAmount
          value={fields.total}
          hint="A key needs a daily or a total cap"
          onValue={set("total")}
        />
        <Field label="Cap of one call in USD" isAmount value={fields.perCall} onValue={set("perCall")} />
        <Field
          label="Ends in"
          value={fields.expiresIn}
          placeholder="1h"
          hint="A whole number with s, m, h or d, at most 30d"
          onValue={set("expiresIn")}
        />
        <label class="field wide-field">
          May call, one endpoint a line (empty: everything priced or free)
          <textarea
            rows={3}
            spellcheck={false}
            value={fields.endpoints}
            onInput={(event) => set("endpoints")(event.currentTarget.value)}
          />
        </label>
        {failure !== null && (
          <p class="note bad wide-field" role="alert">
            Not issued: {failure}
          </p>
        )}
        <div class="buttons wide-field">
          <button type="submit" class="main" disabled={isSending}>
            {isSending ? "Issuing…" : "Issue the key"}
          </button>
        </div>
      </form>
    </section>
  );
}
