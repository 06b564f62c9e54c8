/** What the form of a new key holds, and the body of `POST /vault/keys` that it makes. */

export interface IssueFields {
  readonly vendor: string;
  readonly label: string;
  readonly daily: string;
  readonly total: string;
  readonly perCall: string;
  readonly expiresIn: string;
  /** One a line. */
  readonly endpoints: string;
}

export const EMPTY: IssueFields = {
  vendor: "",
  label: "",
  daily: "",
  total: "",
  perCall: "",
  expiresIn: "",
  endpoints: "",
};

/** Only what was filled in. Caps go as text: the API reads every decimal place of it, where a number may lose one. */
export function bodyOf(fields: IssueFields): Readonly<Record<string, string | readonly string[]>> {
  const endpoints = fields.endpoints
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const texts = {
    vendor: fields.vendor,
    agent_run_label: fields.label,
    daily_usd_cap: fields.daily,
    total_usd_cap: fields.total,
    per_call_usd_cap: fields.perCall,
    expires_in: fields.expiresIn,
  };
  const filled = Object.entries(texts).flatMap(([name, text]) =>
    text.trim() === "" ? [] : [[name, text.trim()] as const],
  );
  return { ...Object.fromEntries(filled), ...(endpoints.length > 0 && { allowed_endpoints: endpoints }) };
}
