import { useRef, useState } from "preact/hooks";
import { counted } from "../format/count.ts";
import { exportAll, FORMATS, type Format, type Sink } from "./export.ts";
import { openSink } from "./save.ts";

/** Saves all that the filters find as a file, however much it is; it can be given up on the way. */
export function ExportButtons({ asked }: { readonly asked: Readonly<Record<string, string>> }) {
  const [said, setSaid] = useState<string | null>(null);
  const [isUnderWay, setIsUnderWay] = useState(false);
  const stopping = useRef<AbortController | null>(null);

  const run = async (format: Format) => {
    const controller = new AbortController();
    stopping.current = controller;
    let rows = 0;
    let sink: Sink | null = null;
    setIsUnderWay(true);
    setSaid("0 rows so far");
    try {
      const onRows = (count: number) => {
        rows = count;
        setSaid(`${counted(count, "row")} so far`);
      };
      sink = await openSink(FORMATS[format].file, FORMATS[format].accept);
      await exportAll(format, asked, sink, onRows, controller.signal);
      await sink.done();
      setSaid(`Saved ${counted(rows, "row")}`);
    } catch (error) {
      await sink?.giveUp().catch(() => {});
      const isGivenUp = error instanceof DOMException && error.name === "AbortError";
      setSaid(
        controller.signal.aborted || isGivenUp
          ? "Given up"
          : `Not saved: ${error instanceof Error ? error.message : error}`,
      );
    }
    setIsUnderWay(false);
  };

  return (
    <>
      {isUnderWay ? (
        <button type="button" class="small" onClick={() => stopping.current?.abort()}>
          Give up the export
        </button>
      ) : (
        <>
          <button type="button" class="small" onClick={() => void run("csv")}>
            Save as CSV
          </button>
          <button type="button" class="small" onClick={() => void run("ndjson")}>
            Save as NDJSON
          </button>
        </>
      )}
      <span class="quiet" role="status">
        {said}
      </span>
    </>
  );
}
