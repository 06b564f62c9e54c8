/**
 * A command for a POSIX shell that asks our own API, to be copied as it is. The API key stands in it as the variable
 * `KEYBRAKE_API_KEY`, never as its value.
 */
export const apiCommand = (
  baseUrl: string,
  method: "GET" | "POST",
  path: string,
  body: object | null,
): string =>
  [
    `curl -sS${method === "GET" ? "" : ` -X ${method}`} ${quoted(`${baseUrl}${path}`)} -H "Authorization: Bearer $KEYBRAKE_API_KEY"`,
    ...(body === null ? [] : [`-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body))}`]),
  ].join(" ");

/** One word of a POSIX shell, whatever is in the text. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * What lists the calls whose outcome nobody knows, and what closes one of them. It says "charged", which keeps what is held
 * where it is pasted without a look at the vendor.
 */
export const unresolvedCommands = (baseUrl: string, callId: string) => ({
  list_command: apiCommand(baseUrl, "GET", "/vault/audit?state=unresolved", null),
  resolve_command: apiCommand(baseUrl, "POST", `/vault/calls/${callId}/resolve`, { charged: true }),
});
