import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent } from "@tanstack/react-router";
import { prefetch } from "./api/query";
import { ProductDocument } from "./gen/graphql";
import { one, parseSearch, stringifySearch } from "./lib/url";
import { Find } from "./routes/find/Find";
import { findSearch } from "./routes/find/search";
import { productSearch, productVariables } from "./routes/product/search";
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

export const router = createRouter({
  routeTree: root.addChildren([find, signIn, product]),
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
