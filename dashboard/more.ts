/** What is loaded after the first picture, in one file: each file is a request to a function, which may have to start for it. */
export { Audit } from "./audit/audit.tsx";
export { Keys } from "./keys/keys.tsx";
export { Below } from "./overview/below.tsx";
export { SpendPage } from "./spend/spend.tsx";
export { BlindStop } from "./stops/blind-stop.tsx";
