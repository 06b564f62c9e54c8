import type { IncomingMessage } from "node:http";

/** How programs on this machine call it. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

type Headed = Pick<IncomingMessage, "headers">;

/** The name of a header `Host`, in lower case and without its port. */
const hostOf = ({ headers }: Headed): string => (headers.host ?? "").toLowerCase().replace(/:\d+$/, "");

/** Whether the caller knows this machine by one of the given names. */
export const isCalledBy = (request: Headed, names: readonly string[]): boolean =>
  names.includes(hostOf(request));

/**
 * Whether a page of somebody else in a browser may have sent a request: it names another origin than the one it asks, or a host
 * that only looks like this machine (a name that is bound to the loopback). Pages reach the ports of this machine, and nothing here
 * is for them but the dashboard for its own page. `hosts`: more names that are this machine's.
 */
export const isFromPage = (request: Headed, hosts: readonly string[] = []): boolean =>
  isFromElsewhere(request) || !isCalledBy(request, [...LOOPBACK, ...hosts]);

/** Whether a request names an origin that is not the address it was sent to. */
const isFromElsewhere = ({ headers: { origin, host } }: Headed): boolean =>
  origin !== undefined && origin.toLowerCase() !== `http://${(host ?? "").toLowerCase()}`;

/** The message for a refused page, or for a program that uses another host name. It repeats nothing that was sent. */
export function pageRefusal(request: Headed, hosts: readonly string[]): string {
  const taken = `to the hosts ${[...LOOPBACK, ...hosts].join(", ")}`;
  if (isFromElsewhere(request))
    return `a local run serves programs and the page of its own dashboard, not other pages in a browser; send the request without an Origin header, ${taken}`;
  return `a local run answers only requests ${taken}; to add a name, such as host.docker.internal, start it with KEYBRAKE_HOSTS=<name>`;
}
