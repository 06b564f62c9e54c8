/** What a key or an attempt is, in its word; the colour only repeats it. */
const TONES: Readonly<Record<string, string>> = {
  active: "good",
  exhausted: "warn",
  expired: "quiet",
  revoked: "quiet",
  settled: "good",
  free: "good",
  released: "quiet",
  open: "warn",
  unresolved: "warn",
  denied: "bad",
};

export function Status({ of }: { readonly of: string }) {
  return <span class={`status ${TONES[of] ?? "quiet"}`}>{of}</span>;
}
