/** Who may call: pairs of user and password. An undefined password lets any through, and no pairs let anybody. */
export interface Credentials {
  readonly pairs: readonly { readonly user: string; readonly password: string | undefined }[];
}

/** Whether a request comes with Basic credentials that are among those. */
export function isAuthentic(authorization: string | undefined, { pairs }: Credentials): boolean {
  const [, encoded] = /^Basic +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (encoded === undefined) return false;
  const text = Buffer.from(encoded, "base64").toString();
  const colon = text.indexOf(":");
  if (colon < 1) return false;
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  if (pairs.length === 0) return true;
  return pairs.some((pair) => pair.user === user && (pair.password ?? password) === password);
}
