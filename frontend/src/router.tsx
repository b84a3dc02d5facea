import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent } from "@tanstack/react-router";
import { prefetch } from "./api/query";
import {
  BoardDocument,
  ChangeDocument,
  DomainBoardDocument,
  DomainsDocument,
  GateDocument,
  InboxDocument,
  MajorsDocument,
  MyAccessDocument,
  OverridesDocument,
  ProductDocument,
  ReadersDocument,
  RecordsDocument,
  ReviewDocument,
  RotDocument,
} from "./gen/graphql";
import { given, one, parseSearch, stringifySearch } from "./lib/url";
import { askedProduct, askedPurpose, askSearch, partsOfTable } from "./routes/access/access";
import { Find } from "./routes/find/Find";
import { findSearch } from "./routes/find/search";
import { productSearch, productVariables } from "./routes/product/search";
import { actionOf } from "./routes/steward/actions";
import { readersVariables } from "./routes/steward/steward";
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
  validateSearch: productSearch,
  loaderDeps: ({ search }) => ({ table: search.table }),
  loader: ({ params, deps, preload }) => {
    const variables = productVariables(params._splat, deps);
    if (variables && !preload) prefetch(ProductDocument, variables);
  },
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
  validateSearch: (search: Record<string, unknown>) => given(search, ["after"]),
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

const board = createRoute({
  getParentRoute: () => root,
  path: "/team",
  validateSearch: (search: Record<string, unknown>) => given(search, ["domain", "after"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps: { domain, after } }) =>
    domain ? prefetch(DomainBoardDocument, { domain, after: after ?? null }) : prefetch(BoardDocument, {}),
  component: lazyRouteComponent(() => import("./routes/team/Board"), "Board"),
});

const change = createRoute({
  getParentRoute: () => root,
  path: "/team/change",
  validateSearch: (search: Record<string, unknown>) => given(search, ["domain"]),
  loader: () => prefetch(ChangeDocument, {}),
  component: lazyRouteComponent(() => import("./routes/team/Change"), "Change"),
});

const majors = createRoute({
  getParentRoute: () => root,
  path: "/team/majors",
  validateSearch: (search: Record<string, unknown>) => given(search, ["after"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps: { after } }) => prefetch(MajorsDocument, { after: after ?? null }),
  component: lazyRouteComponent(() => import("./routes/team/Majors"), "Majors"),
});

const gate = createRoute({
  getParentRoute: () => root,
  path: "/team/gate",
  validateSearch: (search: Record<string, unknown>) => given(search, ["address", "purpose"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps: { address, purpose } }) =>
    address && prefetch(GateDocument, { address, purpose: askedPurpose(purpose) ?? null }),
  component: lazyRouteComponent(() => import("./routes/team/Gate"), "Gate"),
});

const review = createRoute({
  getParentRoute: () => root,
  path: "/steward",
  validateSearch: (search: Record<string, unknown>) => given(search, ["group", "q", "after"]),
  loaderDeps: ({ search: { after } }) => ({ after }),
  loader: ({ deps: { after } }) => prefetch(ReviewDocument, { after: after ?? null }),
  component: lazyRouteComponent(() => import("./routes/steward/Review"), "Review"),
});

const readers = createRoute({
  getParentRoute: () => root,
  path: "/steward/readers",
  validateSearch: (search: Record<string, unknown>) => given(search, ["address", "day", "lease"]),
  loaderDeps: ({ search: { address } }) => ({ address }),
  loader: ({ deps: { address } }) =>
    address && partsOfTable(address) && prefetch(ReadersDocument, readersVariables(address)),
  component: lazyRouteComponent(() => import("./routes/steward/Readers"), "Readers"),
});

const records = createRoute({
  getParentRoute: () => root,
  path: "/steward/records",
  validateSearch: (search: Record<string, unknown>) => given(search, ["action", "after"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps: { action, after } }) =>
    prefetch(RecordsDocument, { action: actionOf(action) ?? null, after: after ?? null }),
  component: lazyRouteComponent(() => import("./routes/steward/Records"), "Records"),
});

const overrides = createRoute({
  getParentRoute: () => root,
  path: "/steward/overrides",
  validateSearch: (search: Record<string, unknown>) => given(search, ["product"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => {
    const product = askedProduct(deps);
    if (product) prefetch(OverridesDocument, product);
  },
  component: lazyRouteComponent(() => import("./routes/steward/Overrides"), "Overrides"),
});

const rot = createRoute({
  getParentRoute: () => root,
  path: "/steward/rot",
  validateSearch: (search: Record<string, unknown>) => given(search, ["domain"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps: { domain } }) => prefetch(RotDocument, { domain: domain ?? null }),
  component: lazyRouteComponent(() => import("./routes/steward/Rot"), "Rot"),
});

const domains = createRoute({
  getParentRoute: () => root,
  path: "/steward/domains",
  validateSearch: (search: Record<string, unknown>) => given(search, ["after"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps: { after } }) => prefetch(DomainsDocument, { after: after ?? null }),
  component: lazyRouteComponent(() => import("./routes/steward/Domains"), "Domains"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    find,
    signIn,
    product,
    ...[ask, inbox, access],
    ...[board, change, majors, gate],
    ...[review, readers, records, overrides, rot, domains],
  ]),
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
