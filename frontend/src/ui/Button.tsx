import type { ComponentProps, ReactNode } from "react";
import { useId } from "react";
import { Icon, type IconName } from "./Icon";

interface Props extends Omit<ComponentProps<"button">, "disabled"> {
  look?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  /** While it works: pressing again does nothing. */
  busy?: boolean;
  /** Why it cannot be pressed. It stays in the order of the keyboard, so that the reason is found. */
  unavailable?: string;
  children: ReactNode;
}

export function Button({ look = "plain", icon, busy, unavailable, children, onClick, className = "", ...rest }: Props) {
  const reason = useId();
  const off = busy || unavailable !== undefined;
  return (
    <>
      <button
        type="button"
        {...rest}
        className={`button ${look} ${className}`}
        aria-disabled={off || undefined}
        aria-describedby={unavailable ? reason : rest["aria-describedby"]}
        onClick={(event) => {
          if (off) event.preventDefault();
          else onClick?.(event);
        }}
      >
        {icon && <Icon name={icon} />}
        {children}
      </button>
      {unavailable && (
        <span id={reason} className="reason">
          {unavailable}
        </span>
      )}
    </>
  );
}

/** A button with a sign alone; `label` is its name and its tooltip. */
export function IconButton({
  icon,
  label,
  className = "",
  ...rest
}: { icon: IconName; label: string } & ComponentProps<"button">) {
  return (
    <button type="button" {...rest} className={`button quiet square ${className}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
