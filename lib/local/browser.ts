import type { IncomingMessage } from "node:http";

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/**
 * Whether a page in a browser may have sent a request: it names its origin, or a host that only looks like this machine
 * (a name that is bound to the loopback). Pages reach the ports of this machine, and nothing here is for them.
 */
export const isFromPage = ({ headers }: Pick<IncomingMessage, "headers">): boolean =>
  headers.origin !== undefined || !LOOPBACK.test(headers.host ?? "");
