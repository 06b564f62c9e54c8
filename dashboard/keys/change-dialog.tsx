import { useState } from "preact/hooks";
import type { Key } from "../api/answers.ts";
import { send } from "../api/client.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Field } from "../parts/field.tsx";
import { changeOf, typedOf } from "./change.ts";
import { useSending } from "./use-sending.ts";

/** Changes caps and expiry. A run that hit its cap goes on with the key it has. */
export function ChangeDialog({ of: key, onClose }: { readonly of: Key; readonly onClose: () => void }) {
  const [typed, setTyped] = useState(() => typedOf(key));
  const { isSending, failure, sending } = useSending();
  const change = changeOf(key, typed);
  const set = (name: keyof typeof typed) => (value: string) => setTyped({ ...typed, [name]: value });
  const save = () =>
    sending(async () => {
      await send<Key>("PATCH", `vault/keys/${key.id}`, change);
      onClose();
    });
  return (
    <Dialog title="Change caps or expiry" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <p class="quiet">
          It holds from the next call on. A cap below the spend refuses further paid calls and takes nothing
          back.
        </p>
        <Field
          label="Daily cap in USD (empty: none)"
          isAmount
          value={typed.daily_usd_cap}
          onValue={set("daily_usd_cap")}
        />
        <Field
          label="Total cap in USD (empty: none)"
          isAmount
          value={typed.total_usd_cap}
          onValue={set("total_usd_cap")}
        />
        <Field
          label="Cap of one call in USD (empty: none)"
          isAmount
          value={typed.per_call_usd_cap}
          onValue={set("per_call_usd_cap")}
        />
        <Field
          label="Ends in, from now (empty: as it is)"
          value={typed.expires_in}
          placeholder="4h"
          hint="A whole number with s, m, h or d, at most 30d"
          onValue={set("expires_in")}
        />
        {failure !== null && (
          <p class="note bad" role="alert">
            Not changed: {failure}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="main" disabled={isSending || Object.keys(change).length === 0}>
            {isSending ? "Saving…" : "Save"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
