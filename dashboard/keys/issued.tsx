import { useState } from "preact/hooks";
import type { IssuedKey } from "../api/answers.ts";
import { usd } from "../format/usd.ts";
import { useLogin } from "../page/signed-in.ts";
import { In } from "../parts/ago.tsx";
import { Copy } from "../parts/copy.tsx";
import { snippetsFor } from "./snippets.ts";

/** The secret of a new key, once, with programs that use it. */
export function Issued({ issued, onDone }: { readonly issued: IssuedKey; readonly onDone: () => void }) {
  const { vendors } = useLogin();
  const page = vendors.find(({ name }) => name === issued.vendor)?.page ?? null;
  const snippets = snippetsFor(page, issued);
  const [shown, setShown] = useState(0);
  const snippet = snippets[shown];
  return (
    <section class="card issued" aria-labelledby="issued-title">
      <h1 id="issued-title">Copy the key now: it is not shown again</h1>
      <p class="secret">
        <code>{issued.vault_key}</code> <Copy text={issued.vault_key} label="Copy the key" />
      </p>
      <p class="quiet">
        {issued.id} · {usd(issued.remaining_usd)} left · ends in <In at={issued.expires_at} /> · base address{" "}
        <code>{issued.base_url}</code> <Copy text={issued.base_url} />
      </p>
      {snippet !== undefined && (
        <>
          <div class="row">
            <fieldset class="buttons">
              <legend class="heard">Language of the example</legend>
              {snippets.map(({ name }, at) => (
                <button key={name} type="button" aria-pressed={at === shown} onClick={() => setShown(at)}>
                  {name}
                </button>
              ))}
            </fieldset>
            <Copy text={snippet.text} label="Copy the example" />
          </div>
          <pre>
            <code>{snippet.text}</code>
          </pre>
        </>
      )}
      <div class="buttons">
        <button type="button" class="main" onClick={onDone}>
          I have copied it
        </button>
      </div>
    </section>
  );
}
