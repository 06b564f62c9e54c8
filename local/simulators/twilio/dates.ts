/** As the 2010 API writes a date, RFC 2822: `Mon, 23 Nov 2026 03:21:41 +0000`. */
export const rfc2822 = (ms: number): string => new Date(ms).toUTCString().replace("GMT", "+0000");

/** As the newer APIs write it, ISO 8601 without a fraction. */
export const iso8601 = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
