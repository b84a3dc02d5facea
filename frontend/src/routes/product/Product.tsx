import "./product.css";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ApiError } from "../../api/error";
import { useQuery } from "../../api/query";
import { ProductDocument, type ProductQuery, ProductTableDocument } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { count, title as titled } from "../../lib/text";
import { useTitle } from "../../shell/Shell";
import { Copy } from "../../ui/Copy";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { Icon } from "../../ui/Icon";
import { Empty, Failure, Loading } from "../../ui/states";
import { Time } from "../../ui/Time";
import { AccessChip, ClassificationChip, StateChip } from "../../ui/words";
import { Columns } from "./Columns";
import { Lineage } from "./Lineage";
import { People } from "./People";
import { PromiseAndFact } from "./PromiseAndFact";
import { ReadIt } from "./ReadIt";
import { exactTable, productVariables, tableName } from "./search";
import { Versions } from "./Versions";

const route = getRouteApi("/products/$");

export type Found = NonNullable<ProductQuery["product"]>;

export function Product() {
  const { _splat } = route.useParams();
  const search = route.useSearch();
  const variables = productVariables(_splat, search);
  const query = useQuery(
    ProductDocument,
    variables ?? { domain: "", name: "", address: "", table: "", known: false },
    variables !== undefined,
  );
  const found = query.data?.product;
  // While another product loads, what is left of this one is not shown under the other's name.
  const product = found && variables && addressOf(found) === variables.address ? found : undefined;
  useTitle(product ? (product.title ?? product.name) : (variables?.address ?? "No such product"));

  if (!variables || (query.data?.product === null && !query.stale) || query.error?.code === "NOT_FOUND") {
    return <NoProduct address={variables?.address ?? _splat ?? ""} />;
  }
  if (!query.data || !product) {
    return (
      <div className="page">
        <h1>{variables.address}</h1>
        {query.error ? (
          <Failure what="The product cannot be shown." error={query.error} retry={query.retry} />
        ) : (
          <Loading what="the product" lines={14} />
        )}
      </div>
    );
  }
  return (
    <Loaded
      key={variables.address}
      data={query.data}
      product={product}
      variables={variables}
      busy={query.loading}
      failures={query.errors}
    />
  );
}

function Loaded({
  data,
  product,
  variables,
  busy,
  failures,
}: {
  data: ProductQuery;
  product: Found;
  variables: NonNullable<ReturnType<typeof productVariables>>;
  busy: boolean;
  failures: ApiError[];
}) {
  const address = addressOf(product);
  const first = product.tables[0];
  // The table comes with the page when the URL names it, else its own request follows.
  const named = data.table !== undefined;
  const later = useQuery(
    ProductTableDocument,
    { table: `${address}.${first ? tableName(first.address) : ""}` },
    !named && first !== undefined,
  );
  const table = named ? data.table : later.data?.table;
  const decision = named ? data.why : later.data?.why;
  return (
    <div className="page product" aria-busy={busy || later.loading}>
      <Head product={product} variables={variables} />
      <div className="product-main">
        {failures.map((error) => (
          <Failure key={error.message} what="A part of this page is missing." error={error} />
        ))}
        {table ? (
          <>
            <Columns table={table} product={product} />
            <PromiseAndFact table={table} />
          </>
        ) : (
          <NoTable loading={later.loading} error={later.error} retry={later.retry} hasTables={first !== undefined} />
        )}
        <Lineage data={data} address={address} table={table ?? undefined} />
        <Versions product={product} />
        <People data={data} product={product} />
      </div>
      <aside className="product-side" aria-label="Access and tables">
        <ReadIt
          key={table?.address}
          data={data}
          product={product}
          table={table ?? undefined}
          decision={decision ?? undefined}
        />
        {product.tables.length > 1 && <Tables product={product} shown={table?.address} />}
        {product.similar.length > 0 && (
          <section className="block">
            <h2>Like it</h2>
            <ul className="plain-list rows">
              {product.similar.map((other) => (
                <li key={other.id}>
                  <Link to="/products/$" params={{ _splat: productSplat(other) }}>
                    {other.title ?? other.name}
                  </Link>{" "}
                  <span className="mono quiet-text">{addressOf(other)}</span>
                </li>
              ))}
            </ul>
          </section>
        )}
      </aside>
    </div>
  );
}

function Head({ product, variables }: { product: Found; variables: NonNullable<ReturnType<typeof productVariables>> }) {
  const address = addressOf(product);
  const owners = (product.domain.roles ?? []).filter(({ role }) => role === "OWNER");
  return (
    <header className="product-head">
      <div className="product-name">
        <h1>{product.title ?? product.name}</h1>
        <span className="mono quiet-text">{address}</span>
        <Copy text={address} what="address" />
      </div>
      <p className="facts">
        <AccessChip access={product.access} />
        <StateChip state={product.state} />
        <ClassificationChip classification={product.classification} />
        {product.medallion && <span>{titled(product.medallion)}</span>}
        <span>
          Domain{" "}
          <Link to="/" search={{ domain: [product.domain.path] }}>
            {product.domain.path}
          </Link>
        </span>
        {owners.length > 0 && (
          <span>
            <Icon name="person" size={14} /> {owners.map(({ principal }) => principal.subject).join(", ")}
          </span>
        )}
        <span>
          <Icon name="people" size={14} /> {count(product.usage.readers, "reader")} in 30 days
          {product.usage.lastAt && (
            <>
              , last <Time at={product.usage.lastAt} />
            </>
          )}
        </span>
        <span>
          Published <Time at={product.createdAt} />
        </span>
      </p>
      <CopyAs
        command={`charter product show ${shellWord(address)}`}
        operation={ProductDocument}
        variables={variables}
      />
    </header>
  );
}

function Tables({ product, shown }: { product: Found; shown: string | undefined }) {
  return (
    <section className="block">
      <h2>Tables</h2>
      <ul className="plain-list rows">
        {product.tables.map(({ id, address }) => (
          <li key={id}>
            <Link
              to="/products/$"
              params={{ _splat: productSplat(product) }}
              search={{ table: exactTable(address) }}
              resetScroll={false}
              className="mono"
              aria-current={address === shown ? "true" : undefined}
            >
              {exactTable(address)}
            </Link>
            {address === shown && <span className="quiet-text"> shown</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function NoTable({
  loading,
  error,
  retry,
  hasTables,
}: {
  loading: boolean;
  error: ApiError | undefined;
  retry: () => void;
  hasTables: boolean;
}) {
  return (
    <section className="block" aria-label="Table">
      {error ? (
        <Failure what="The table cannot be shown." error={error} retry={retry} />
      ) : loading ? (
        <Loading what="the table" lines={8} />
      ) : (
        <Empty title={hasTables ? "This product has no such table." : "This product has no tables."}>
          <p>{hasTables ? "Choose one of its tables." : "A contract with a server of type `local` binds one."}</p>
        </Empty>
      )}
    </section>
  );
}

function NoProduct({ address }: { address: string }) {
  return (
    <div className="page narrow">
      <h1>No such product</h1>
      <Empty title={`There is no product ${address} that you may know of.`}>
        <p>
          Check the address. If someone sent it to you, ask them, or an owner of the domain, for the right to see it.
        </p>
        <p>
          <Link to="/">Find a product</Link>
        </p>
      </Empty>
    </div>
  );
}
