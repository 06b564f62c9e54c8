import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly required?: boolean;
  /** For money: a phone shows its digits. */
  readonly isAmount?: boolean;
}

/** A line of text with its label. */
export function Field({ label, value, onValue, hint, placeholder, required, isAmount }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={value}
        placeholder={placeholder}
        required={required}
        {...(isAmount === true && { inputMode: "decimal" as const })}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        {...(hint !== undefined && { "aria-describedby": `${id}-hint` })}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} class="quiet hint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** One of a few values with its label. */
export function Choice({
  label,
  value,
  onValue,
  children,
}: {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {children}
      </select>
    </div>
  );
}
