interface Named {
  readonly agent_run_label: string | null;
  readonly vendor: string | null;
  readonly parent_id: string | null;
  readonly api_key_id: string | null;
}

/** What a stop is for, in words. */
export function nameOfStop({ agent_run_label, vendor, parent_id, api_key_id }: Named): string {
  const parts = [
    agent_run_label,
    vendor === null ? null : `vendor ${vendor}`,
    parent_id === null ? null : `keys below ${parent_id}`,
    api_key_id === null ? null : `keys of ${api_key_id}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "Everything" : parts.join(", ");
}

export const isInForce = ({ state }: { readonly state: string }): boolean =>
  state === "revoking" || state === "in_force";
