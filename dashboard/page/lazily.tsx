import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Shows what is loaded only when it is looked at: it is in a file of its own. */
export function Lazily<Props extends object>({
  load,
  props,
}: {
  readonly load: () => Promise<ComponentType<Props>>;
  readonly props: Props;
}) {
  const [loaded, setLoaded] = useState<{ readonly Part: ComponentType<Props> } | "failed" | null>(null);
  useEffect(() => {
    load().then(
      (Part) => setLoaded({ Part }),
      () => setLoaded("failed"),
    );
  }, [load]);
  if (loaded === null) return <p class="loading">Loading…</p>;
  if (loaded === "failed") return <p class="note bad">This part could not be loaded. Reload the page.</p>;
  return <loaded.Part {...props} />;
}
