import { useId, useState } from "preact/hooks";
import { useMay, useVendors } from "../page/signed-in.ts";
import { StopButton } from "./stop-button.tsx";
import { EVERYTHING, labelTarget, type StopTarget, vendorTarget } from "./targets.ts";

/** A stop by name: of a run that is not listed, of a vendor, or of everything. */
export function BlindStop() {
  const vendors = useVendors();
  const mayStop = useMay("revoke");
  const mayRead = useMay("read");
  const [label, setLabel] = useState("");
  const id = useId();
  if (!mayStop) return null;
  const byVendor: readonly StopTarget[] = vendors.map(({ name, title }) => vendorTarget(name, title));
  return (
    <section aria-labelledby={`${id}-title`} class="blind">
      <h2 id={`${id}-title`}>Stop by name</h2>
      {!mayRead && <p class="note">This API key may stop runs but not read them.</p>}
      <label for={`${id}-label`}>Label of the run, or its beginning with a last *</label>
      <div class="row">
        <input
          id={`${id}-label`}
          autocomplete="off"
          autocapitalize="none"
          placeholder="modal-billing/*"
          value={label}
          onInput={(event) => setLabel(event.currentTarget.value.trim())}
        />
        {label !== "" && (
          <StopButton label="Stop" name={`Stop ${label}`} targets={[labelTarget(label), EVERYTHING]} />
        )}
      </div>
      <div class="buttons">
        <StopButton label="Stop every run" targets={[EVERYTHING, ...byVendor]} />
      </div>
    </section>
  );
}
