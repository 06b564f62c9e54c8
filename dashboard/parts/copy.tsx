import { useState } from "preact/hooks";

/** Copies a text, and says so. */
export function Copy({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState(label);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select it and copy by hand");
    }
    setTimeout(() => setSaid(label), 3000);
  };
  return (
    <button type="button" class="plain" onClick={() => void copy()} aria-live="polite">
      {said}
    </button>
  );
}
