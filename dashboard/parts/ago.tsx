import { spanText } from "../format/time.ts";
import { useNow } from "../page/use-now.ts";
import { Moment } from "./moment.tsx";

/** How long ago a time was, counting on. */
export function Ago({ at }: { readonly at: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={at}>
      {spanText(nowMs - Date.parse(at))} ago
    </time>
  );
}

/** How long it is until a time. */
export function In({ at }: { readonly at: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={at}>
      {spanText(Date.parse(at) - nowMs)}
    </time>
  );
}

/** A time, and how long ago that was. */
export function MomentAgo({ at }: { readonly at: string }) {
  return (
    <>
      <Moment at={at} />{" "}
      <span class="quiet">
        (<Ago at={at} />)
      </span>
    </>
  );
}
