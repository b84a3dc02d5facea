import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { IconButton } from "./Button";

interface Props {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at the end. */
  footer?: ReactNode;
  wide?: boolean;
}

/**
 * The browser's own modal dialog: it keeps the focus, closes by Esc and gives the focus back. It begins at the control
 * with `data-first`, else at the first one.
 */
export function Dialog({ title, open, onClose, children, footer, wide }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Before the next key is pressed: it belongs to the dialog already.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (open && dialog && !dialog.open) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>("[data-first]")?.focus();
    }
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it too; a click beside it is for the pointer
    <dialog
      ref={ref}
      className={wide ? "dialog wide" : "dialog"}
      aria-labelledby={heading}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      {open && (
        <div className="dialog-body">
          <header>
            <h2 id={heading}>{title}</h2>
            <IconButton icon="cross" label="Close" onClick={onClose} />
          </header>
          <div className="dialog-content">{children}</div>
          {footer && <footer>{footer}</footer>}
        </div>
      )}
    </dialog>
  );
}
