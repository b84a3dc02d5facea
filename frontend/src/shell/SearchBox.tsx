import { useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { one } from "../lib/url";
import { Icon } from "../ui/Icon";
import { useShortcut } from "./keys";

/** The one search box. On the page Find it searches with each key; elsewhere Enter leads there. */
export function SearchBox() {
  const navigate = useNavigate();
  const { finding, q } = useRouterState({
    select: ({ location }) => ({
      finding: location.pathname === "/",
      q: location.pathname === "/" ? (one((location.search as Record<string, unknown>).q) ?? "") : "",
    }),
    structuralSharing: true,
  });
  const [text, setText] = useState(q);
  const sent = useRef(q);
  /** What was typed on the way to `sent`: the URL may still show it after the next key. */
  const echoes = useRef(new Set<string>());
  const input = useRef<HTMLInputElement>(null);
  // Back, forward and links change the URL; what is being typed comes first otherwise.
  useEffect(() => {
    if (q === sent.current) echoes.current.clear();
    else if (!echoes.current.has(q)) {
      setText(q);
      sent.current = q;
    }
  }, [q]);
  useShortcut("/", "Search", () => {
    input.current?.focus();
    input.current?.select();
  });
  const search = (text: string, replace: boolean) => {
    const q = text.trim() === "" ? undefined : text;
    echoes.current.add(sent.current);
    sent.current = q ?? "";
    void navigate({
      to: "/",
      search: (before: Record<string, unknown>) => (finding ? { ...before, q, after: undefined } : { q }),
      replace,
      resetScroll: false,
    });
  };
  return (
    <search>
      <form
        className="search-box"
        onSubmit={(event) => {
          event.preventDefault();
          search(text, finding);
        }}
      >
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          name="q"
          aria-label="Search products, columns and owners"
          aria-keyshortcuts="/"
          placeholder="Search products, columns, owners"
          autoComplete="off"
          spellCheck={false}
          enterKeyHint="search"
          maxLength={400}
          value={text}
          onInput={(event) => {
            const { value } = event.currentTarget;
            setText(value);
            if (finding) search(value, true);
          }}
        />
        <span className="key-hint" aria-hidden="true">
          /
        </span>
      </form>
    </search>
  );
}
