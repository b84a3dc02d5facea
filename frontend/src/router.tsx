import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent } from "@tanstack/react-router";
import { prefetch } from "./api/query";
import { InboxDocument, MyAccessDocument } from "./gen/graphql";
import { one, parseSearch, stringifySearch } from "./lib/url";
import { askSearch } from "./routes/access/access";
import { Find } from "./routes/find/Find";
import { findSearch } from "./routes/find/search";
import { Shell, useTitle } from "./shell/Shell";
import { Empty, Note } from "./ui/states";

const root = createRootRoute({ component: Shell, notFoundComponent: NoPage, errorComponent: Broken });

const find = createRoute({ getParentRoute: () => root, path: "/", validateSearch: findSearch, component: Find });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: one(search.next) }),
  component: lazyRouteComponent(() => import("./routes/signin/SignIn"), "SignIn"),
});

const product = createRoute({
  getParentRoute: () => root,
  path: "/products/$",
  component: lazyRouteComponent(() => import("./routes/product/Product"), "Product"),
});

const ask = createRoute({
  getParentRoute: () => root,
  path: "/ask",
  validateSearch: askSearch,
  component: lazyRouteComponent(() => import("./routes/access/Ask"), "Ask"),
});

const inbox = createRoute({
  getParentRoute: () => root,
  path: "/inbox",
  validateSearch: afterSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ deps: { after } }) => prefetch(InboxDocument, { after: after ?? null }),
  component: lazyRouteComponent(() => import("./routes/access/Inbox"), "Inbox"),
});

const access = createRoute({
  getParentRoute: () => root,
  path: "/access",
  loader: () => prefetch(MyAccessDocument, {}),
  component: lazyRouteComponent(() => import("./routes/access/MyAccess"), "MyAccess"),
});

export const router = createRouter({
  routeTree: root.addChildren([find, signIn, product, ask, inbox, access]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultErrorComponent: Broken,
  defaultNotFoundComponent: NoPage,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

/** A page of a list. */
function afterSearch(search: Record<string, unknown>): { after?: string } {
  const after = one(search.after);
  return after === undefined ? {} : { after };
}

function NoPage() {
  useTitle("No such page");
  return (
    <div className="page narrow">
      <h1>No such page</h1>
      <Empty title="Nothing is at this address.">
        <p>
          Check the address, or <Link to="/">find a product</Link>.
        </p>
      </Empty>
    </div>
  );
}

function Broken({ error }: { error: unknown }) {
  useTitle("This page failed");
  return (
    <div className="page narrow">
      <h1>This page failed</h1>
      <Note tone="bad">
        <p>{error instanceof Error ? error.message : String(error)}</p>
        <p>
          <a href={window.location.href}>Load it again</a>. If it fails again, report the address and this text to the
          operator of this server.
        </p>
      </Note>
    </div>
  );
}
