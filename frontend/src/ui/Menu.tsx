import { type ReactNode, useId, useRef, useState } from "react";
import { Icon, type IconName } from "./Icon";

/**
 * A button that opens a panel beside it: the browser's popover, closed by Esc, by a click elsewhere and by a choice.
 * What is inside are ordinary links, buttons and fields, in the order of the keyboard.
 */
export function Menu({
  label,
  icon,
  text,
  children,
}: {
  label: string;
  icon?: IconName;
  text?: ReactNode;
  children: ReactNode;
}) {
  const id = useId().replace(/[^\w-]/g, "");
  const panel = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const place = () => {
    const { current: box } = panel;
    const { current: from } = button;
    if (!box || !from) return;
    const rect = from.getBoundingClientRect();
    box.style.top = `${rect.bottom + 4}px`;
    box.style.right = `${Math.max(8, document.documentElement.clientWidth - rect.right)}px`;
  };
  return (
    <div className="menu">
      <button
        type="button"
        ref={button}
        className="button quiet"
        popoverTarget={id}
        aria-label={label}
        title={label}
        aria-expanded={open}
      >
        {icon && <Icon name={icon} />}
        {text}
        <Icon name="down" size={12} />
      </button>
      {/* biome-ignore lint/a11y: the click on a choice inside bubbles here; the choices are native controls */}
      <div
        ref={panel}
        id={id}
        popover="auto"
        className="menu-panel"
        onBeforeToggle={place}
        onToggle={(event) => setOpen((event as unknown as ToggleEvent).newState === "open")}
        onClick={(event) => {
          if ((event.target as Element).closest("a, [data-closes]")) panel.current?.hidePopover();
        }}
      >
        {children}
      </div>
    </div>
  );
}
