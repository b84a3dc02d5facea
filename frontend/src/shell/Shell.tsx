import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { signOut } from "../api/client";
import { ApiError } from "../api/error";
import { dropAnswers } from "../api/query";
import { forgetViewer, useViewer, whenSignedOut } from "../api/session";
import { title as titled } from "../lib/text";
import { Announcer, announce } from "../ui/announce";
import { Menu } from "../ui/Menu";
import { KeysHelp, keyText } from "./Keys";
import { listenForKeys, useShortcut } from "./keys";
import { placesOf } from "./navigation";
import { Palette } from "./Palette";
import { SearchBox } from "./SearchBox";
import { themes, useTheme } from "./theme";

export function Shell() {
  const navigate = useNavigate();
  const viewer = useViewer();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const main = useRef<HTMLElement>(null);

  useEffect(() => listenForKeys(), []);
  useEffect(
    () =>
      whenSignedOut(() => {
        const { pathname, search } = window.location;
        if (pathname !== "/sign-in")
          void navigate({ to: "/sign-in", search: { next: pathname + search }, replace: true });
      }),
    [navigate],
  );
  useNewPageIsToldAndFocused(path, main);
  useShortcut("mod+k", "Go to a product or page", () => setPalette(true));
  useShortcut("?", "Show the keys", () => setKeys(true));

  const leave = async () => {
    try {
      await signOut();
    } catch (cause) {
      // A session that is over already is signed out.
      if (!(cause instanceof ApiError && cause.code === "UNAUTHENTICATED")) {
        announce("Signing out failed: the session ends at its time, or when it is revoked");
        return;
      }
    }
    forgetViewer();
    dropAnswers();
    void navigate({ to: "/sign-in" });
  };
  const signing = path === "/sign-in";
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it is a link into the page; the focus follows it */}
      <a className="skip" href="#main" onClick={() => main.current?.focus()}>
        Skip to content
      </a>
      <header className="top">
        <Link to="/" className="brand" aria-label="Charterhouse, find products">
          <Mark />
          <span>Charterhouse</span>
        </Link>
        {!signing && <SearchBox />}
        <nav aria-label="Pages">
          {!signing &&
            placesOf(viewer).map(({ to, label, key }) => (
              <Link key={to} to={to} activeOptions={{ exact: to === "/", includeSearch: false }}>
                {label}
                <GoKey keys={`g ${key}`} label={`Go to ${label}`} go={() => void navigate({ to })} />
              </Link>
            ))}
        </nav>
        <div className="top-tools">
          {!signing && (
            <button
              type="button"
              className="button quiet"
              title="Go to a product or page"
              onClick={() => setPalette(true)}
            >
              <kbd>{keyText("mod+k").join(" ")}</kbd>
              <span className="visually-hidden">Go to a product or page</span>
            </button>
          )}
          <ThemeMenu onKeys={() => setKeys(true)} />
          {viewer && !signing && (
            <Menu
              label={`Signed in as ${viewer.principal.subject}`}
              icon="person"
              text={<span className="who">{viewer.principal.subject}</span>}
            >
              <p>
                Signed in as <strong>{viewer.principal.subject}</strong>
              </p>
              <ul className="plain-list quiet-text">
                {viewer.roles.length === 0 && <li>No roles</li>}
                {viewer.roles.map(({ role, domain }) => (
                  <li key={role + (domain?.path ?? "")}>
                    {titled(role)}
                    {domain ? ` of ${domain.path}` : " of the platform"}
                  </li>
                ))}
              </ul>
              <p className="quiet-text">Charterhouse {viewer.version}</p>
              <button type="button" className="button plain" data-closes onClick={leave}>
                Sign out
              </button>
            </Menu>
          )}
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      <Palette open={palette} onClose={() => setPalette(false)} />
      <KeysHelp open={keys} onClose={() => setKeys(false)} />
      <Announcer />
    </>
  );
}

function GoKey({ keys, label, go }: { keys: string; label: string; go: () => void }) {
  useShortcut(keys, label, go);
  return null;
}

function ThemeMenu({ onKeys }: { onKeys: () => void }) {
  const [theme, setTheme] = useTheme();
  const icons = { system: "screen", light: "sun", dark: "moon" } as const;
  return (
    <Menu label="Appearance and keys" icon={icons[theme]}>
      <fieldset>
        <legend>Appearance</legend>
        {themes.map((name) => (
          <label key={name} className="check">
            <input type="radio" name="theme" checked={theme === name} onChange={() => setTheme(name)} />
            {name === "system" ? "As the system" : titled(name)}
          </label>
        ))}
      </fieldset>
      <button type="button" className="button plain" data-closes onClick={onKeys}>
        Keys
      </button>
    </Menu>
  );
}

/** After a change of page the focus is at its beginning and its title is read; a change within the page moves nothing. */
function useNewPageIsToldAndFocused(path: string, main: { current: HTMLElement | null }) {
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what it waits for
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    // Whoever types in the search box goes on typing when that leads to Find.
    if (path === "/" && document.activeElement?.closest("search")) return;
    main.current?.focus({ preventScroll: true });
  }, [path]);
}

/** A house whose door is a keyhole. */
function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" className="mark">
      <path d="M3 10.2 12 3l9 7.2V21H3V10.2Z" />
      <path className="hole" d="M12 10.4a2.3 2.3 0 0 1 1.2 4.3l.8 3.8h-4l.8-3.8a2.3 2.3 0 0 1 1.2-4.3Z" />
    </svg>
  );
}

/** The title of the window: the page, then the site. */
export function useTitle(page: string): void {
  useEffect(() => {
    document.title = `${page} · Charterhouse`;
  }, [page]);
}
