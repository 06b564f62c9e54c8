import { useState } from "preact/hooks";

/** Sends what a form holds, and says while it does and why it could not. */
export function useSending() {
  const [isSending, setIsSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const sending = async (send: () => Promise<void>) => {
    setIsSending(true);
    setFailure(null);
    try {
      await send();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
    setIsSending(false);
  };
  return { isSending, failure, sending };
}
