import type { Sink } from "./export.ts";

interface OpenFile {
  write(text: string): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** What browsers that can write to the disk have (File System Access API: Chromium and its kind, over TLS or on this machine). */
type Picker = (options: {
  readonly suggestedName: string;
  readonly types: readonly { readonly accept: Readonly<Record<string, readonly string[]>> }[];
}) => Promise<{ createWritable(): Promise<OpenFile> }>;

/**
 * Opens a file for an export: on the disk itself where the browser asks the reader for a place, so that no export is too
 * large, else in parts that the browser keeps until the whole is there. Throws an `AbortError` where the reader chose none.
 */
export async function openSink(name: string, type: string): Promise<Sink> {
  const pick = (globalThis as { readonly showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (pick === undefined) return blobSink(name, type);
  const ending = name.slice(name.lastIndexOf("."));
  const handle = await pick({ suggestedName: name, types: [{ accept: { [type]: [ending] } }] });
  const file = await handle.createWritable();
  return {
    write: (text) => file.write(text),
    done: () => file.close(),
    giveUp: () => file.abort(),
  };
}

/** A part is a Blob of its own: a browser moves large ones from memory to its disk. */
function blobSink(name: string, type: string): Sink {
  let parts: Blob[] = [];
  return {
    async write(text) {
      parts.push(new Blob([text]));
    },
    async done() {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts, { type }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
    async giveUp() {
      parts = [];
    },
  };
}
