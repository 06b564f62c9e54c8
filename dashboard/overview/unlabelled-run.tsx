import { roughUsd } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { useLogin, useMay } from "../page/signed-in.ts";
import { StopButton } from "../stops/stop-button.tsx";
import { EVERYTHING, vendorTarget } from "../stops/targets.ts";

interface Props {
  readonly perMinute: number;
  /** The one whose spend grew most is first. */
  readonly vendors: readonly string[];
}

/** Keys without a label that spend: no run names them, so they are stopped by their vendor. */
export function UnlabelledRun({ perMinute, vendors }: Props) {
  const login = useLogin();
  const mayStop = useMay("revoke");
  const titleOf = (name: string) => login.vendors.find((vendor) => vendor.name === name)?.title ?? name;
  const targets = [...vendors.map((name) => vendorTarget(name, titleOf(name))), EVERYTHING];
  return (
    <section class="worst" aria-labelledby="unlabelled-title">
      <h2 id="unlabelled-title">Keys without a label</h2>
      <p class="figure">
        <b>{roughUsd(perMinute)}</b> a minute
      </p>
      <p>
        They are in no run. <a href={hashOf("keys", { status: "active" })}>Look at the live keys</a>, or stop
        all keys of their vendor.
      </p>
      {mayStop && <StopButton isMain label={`Stop ${targets[0]?.name ?? "them"}`} targets={targets} />}
    </section>
  );
}
