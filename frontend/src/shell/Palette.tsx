import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { useQuery } from "../api/query";
import { useViewer } from "../api/session";
import { PaletteDocument } from "../gen/graphql";
import { addressOf, productSplat } from "../lib/paths";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { AccessChip } from "../ui/words";
import { placesOf } from "./navigation";

interface Choice {
  id: string;
  label: string;
  detail: string;
  access?: "KNOW" | "REQUEST" | "READ";
  go: () => void;
}

/** Products by what is typed, and the pages. The list begins as the search of the same text does. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Go to" open={open} onClose={onClose}>
      {open && <Choices onClose={onClose} />}
    </Dialog>
  );
}

function Choices({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const viewer = useViewer();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const list = useId();
  const typed = text.trim();
  const { data, error } = useQuery(PaletteDocument, { text: typed }, typed !== "");

  const pages: Choice[] = placesOf(viewer)
    .filter(({ label }) => label.toLowerCase().includes(typed.toLowerCase()))
    .map(({ to, label }) => ({ id: `page-${label}`, label, detail: "Page", go: () => void navigate({ to }) }));
  const products: Choice[] = (typed ? (data?.suggestions.hits ?? []) : []).map(({ product, access, matches }) => ({
    id: product.id,
    label: product.title ?? product.name,
    detail: matches[0]?.of ?? addressOf(product),
    access,
    go: () => void navigate({ to: "/products/$", params: { _splat: productSplat(product) } }),
  }));
  const search: Choice[] = typed
    ? [
        {
          id: "search",
          label: `Search for “${typed}”`,
          detail: "Find",
          go: () => void navigate({ to: "/", search: { q: typed } }),
        },
      ]
    : [];
  const choices = [...products, ...pages, ...search];
  const at = Math.min(active, choices.length - 1);
  const take = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    choice.go();
  };
  return (
    <>
      <input
        data-first
        className="palette-input"
        type="text"
        role="combobox"
        aria-label="Product, column or page"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={choices[at] ? `${list}-${at}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder="Product, column or page"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            const step = event.key === "ArrowDown" ? 1 : -1;
            setActive((at + step + choices.length) % Math.max(1, choices.length));
          }
          if (event.key === "Enter") {
            event.preventDefault();
            take(choices[at]);
          }
        }}
      />
      {error && <p className="field-error">{error.message}</p>}
      <div id={list} role="listbox" aria-label="Choices" className="palette-list">
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y: the keyboard moves in the field above, as for every combobox
          <div
            key={choice.id}
            id={`${list}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => take(choice)}
            onPointerMove={() => setActive(index)}
          >
            <span>{choice.label}</span>
            <span className="quiet-text mono">{choice.detail}</span>
            {choice.access && <AccessChip access={choice.access} />}
          </div>
        ))}
      </div>
      <p className="hint palette-hint">
        <Icon name="up" size={12} /> <Icon name="down" size={12} /> to choose, Enter to go, Esc to close
      </p>
    </>
  );
}
