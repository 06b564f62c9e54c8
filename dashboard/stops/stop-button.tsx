import { type StopWish, useStopping } from "./stopping.ts";

interface Props extends StopWish {
  readonly label: string;
  /** For who listens, where the label alone does not say what is stopped. */
  readonly name?: string;
  readonly isMain?: boolean;
}

/** Opens the question what is stopped. Nothing is stopped by this button alone. */
export function StopButton({ label, name, isMain = false, ...wish }: Props) {
  const ask = useStopping();
  return (
    <button type="button" class={isMain ? "stop main" : "stop"} aria-label={name} onClick={() => ask(wish)}>
      {label}
    </button>
  );
}
