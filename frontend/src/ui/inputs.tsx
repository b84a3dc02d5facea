import { Field } from "./Field";

interface Text {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** An address of the catalog, typed or pasted. `form` shows its parts, such as `domain.product`. */
export function AddressField({ label, form, value, onChange }: Text & { form: string }) {
  return (
    <Field label={label}>
      {(aria) => (
        <input
          {...aria}
          type="text"
          className="mono"
          placeholder={form}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={400}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** A sentence or two for other people. `first` makes it the control where a dialog begins. */
export function ProseField({
  label,
  value,
  onChange,
  hint,
  error,
  rows = 3,
  first = false,
}: Text & { hint?: string; error?: string; rows?: number; first?: boolean }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(aria) => (
        <textarea
          {...aria}
          data-first={first || undefined}
          rows={rows}
          maxLength={1000}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
