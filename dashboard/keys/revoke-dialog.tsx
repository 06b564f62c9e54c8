import type { Key } from "../api/answers.ts";
import { send } from "../api/client.ts";
import { usd } from "../format/usd.ts";
import { Dialog } from "../parts/dialog.tsx";
import { useSending } from "./use-sending.ts";

/** Revokes one key. It cannot be undone, so it asks. */
export function RevokeDialog({ of: key, onClose }: { readonly of: Key; readonly onClose: () => void }) {
  const { isSending, failure, sending } = useSending();
  const revoke = () =>
    sending(async () => {
      await send<Key>("POST", `vault/keys/${key.id}/revoke`, {});
      onClose();
    });
  return (
    <Dialog title={`Revoke ${key.agent_run_label ?? key.id}?`} onClose={onClose}>
      <p>Its next call is refused, and so is every call of the keys below it. This cannot be undone.</p>
      <p>
        <b>{usd(Math.max(0, key.remaining_usd))}</b> that it could still spend is saved
        {key.reserved_usd > 0 && (
          <>
            ; <b>{usd(key.reserved_usd)}</b> of calls under way may still land
          </>
        )}
        .
      </p>
      {failure !== null && (
        <p class="note bad" role="alert">
          Not known to be revoked: {failure}
        </p>
      )}
      <div class="buttons">
        <button type="button" class="stop main" disabled={isSending} onClick={() => void revoke()}>
          {isSending ? "Revoking…" : "Revoke now"}
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
