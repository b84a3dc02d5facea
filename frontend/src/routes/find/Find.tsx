import "./find.css";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useQuery } from "../../api/query";
import { FindDocument, type FindQuery, type MatchField, type VerdictWord } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { count, title, words } from "../../lib/text";
import { useShortcut } from "../../shell/keys";
import { useTitle } from "../../shell/Shell";
import { announce } from "../../ui/announce";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { Highlight } from "../../ui/Highlight";
import { Icon } from "../../ui/Icon";
import { Empty, Failure, Loading, Note } from "../../ui/states";
import { Time } from "../../ui/Time";
import { AccessChip, ClassificationChip, StateChip, VerdictChip } from "../../ui/words";
import { type ProductSearch, tableName } from "../product/search";
import { chosen, type FacetKey, type FindSearch, facets, findVariables, toggled } from "./search";

const route = getRouteApi("/");

type Answer = FindQuery["search"];
type Hit = Answer["hits"][number];

export function Find() {
  const search = route.useSearch();
  const variables = findVariables(search);
  const query = useQuery(FindDocument, variables);
  const answer = query.data?.search;
  const list = useRef<HTMLOListElement>(null);
  useTitle(search.q ? `${search.q} · Find` : "Find");
  useMoveInList(list);

  const total = answer?.total;
  useEffect(() => {
    if (typeof total === "number" && search.q) announce(count(total, "product"));
  }, [total, search.q]);

  return (
    <div className="page find">
      <h1 className="visually-hidden">Find data products</h1>
      <Facets answer={answer} search={search} />
      <section aria-label="Products" aria-busy={query.loading} className={query.stale ? "hits stale" : "hits"}>
        <div className="head-row">
          <p>
            {answer && typeof total === "number" && (
              <>
                <strong>{count(total, "product")}</strong>
                {search.q ? " for " : " that you may know of"}
                {search.q && <q>{search.q}</q>}
              </>
            )}
            {answer && total === null && "Products"}
          </p>
          <CopyAs command={command(search)} operation={FindDocument} variables={variables} />
        </div>
        {query.error && <Failure what="The search failed." error={query.error} retry={query.retry} />}
        {answer && <Remarks answer={answer} />}
        {!answer && !query.error && <Loading what="products" lines={12} />}
        {answer && answer.hits.length === 0 && <NothingFound search={search} partial={answer.partial} />}
        {answer && answer.hits.length > 0 && (
          <ol ref={list} className="hit-list">
            {answer.hits.map((hit) => (
              <HitRow key={hit.product.id} hit={hit} />
            ))}
          </ol>
        )}
        {answer && (search.after || answer.endCursor) && (
          <nav className="pager" aria-label="Pages of the result">
            {search.after && (
              <Link to="/" search={{ ...search, after: undefined }}>
                <Icon name="left" /> First page
              </Link>
            )}
            {answer.endCursor && (
              <Link to="/" search={{ ...search, after: answer.endCursor }}>
                Next page <Icon name="right" />
              </Link>
            )}
          </nav>
        )}
      </section>
    </div>
  );
}

function HitRow({ hit: { product, access, matches } }: { hit: Hit }) {
  const reasons = matches.slice(0, 2);
  const head = worst(product.tables.map(({ head }) => head));
  return (
    <li className="hit">
      <div className="hit-title">
        <h2>
          <Link to="/products/$" params={{ _splat: productSplat(product) }} search={firstTable(product)}>
            {product.title ?? product.name}
          </Link>
        </h2>
        <span className="mono quiet-text">{addressOf(product)}</span>
        <AccessChip access={access} />
      </div>
      {reasons.length > 0 && (
        <ul className="why-matched" aria-label="Why it matched">
          {reasons.map((match) => (
            <li key={match.field + (match.of ?? "") + match.text}>
              <span className="match-field">
                {matchWord[match.field]}
                {match.of && (
                  <>
                    {" "}
                    of <span className="mono">{match.of}</span>
                  </>
                )}
              </span>
              <span>
                <Highlight text={match.text} highlights={match.highlights} />
              </span>
            </li>
          ))}
        </ul>
      )}
      <div className="facts">
        {head?.verdict ? (
          <span>
            <VerdictChip verdict={head.verdict.verdict} />
            {head.committedAt && (
              <>
                {" "}
                data from <Time at={head.committedAt} />
              </>
            )}
          </span>
        ) : (
          <span className="quiet-text">{product.tables.length > 0 ? "No data inspected yet" : "No tables"}</span>
        )}
        {product.state !== "ACTIVE" && <StateChip state={product.state} />}
        <ClassificationChip classification={product.classification} />
        {product.medallion && <span className="quiet-text">{title(product.medallion)}</span>}
        <span className="quiet-text">
          <Icon name="people" size={14} /> {count(product.usage.readers, "reader")} in 30 days
        </span>
      </div>
    </li>
  );
}

/** Names the table in the URL, so that the product's page is one request. */
function firstTable({ tables }: Hit["product"]): ProductSearch {
  return tables[0] ? { table: tableName(tables[0].address) } : {};
}

/** Of a product with several tables, the one that needs a look. */
function worst(heads: Hit["product"]["tables"][number]["head"][]) {
  const order: VerdictWord[] = ["ERROR", "FAIL", "WARN", "PASS"];
  return order.flatMap((word) => heads.find((head) => head?.verdict?.verdict === word) ?? [])[0];
}

const matchWord: Record<MatchField, string> = {
  ADDRESS: "Address",
  NAME: "Name",
  TITLE: "Title",
  SYNONYM: "Other name",
  TAG: "Tag",
  DOMAIN: "Domain",
  OWNER: "Owner",
  PORT: "Port",
  TABLE: "Table",
  TABLE_SYNONYM: "Other name of a table",
  COLUMN: "Column",
  COLUMN_SYNONYM: "Other name of a column",
  DESCRIPTION: "Description",
  TABLE_DESCRIPTION: "Description",
  COLUMN_DESCRIPTION: "Description",
  FEEDS: "Feeds",
};

function Remarks({ answer }: { answer: Answer }) {
  return (
    <>
      {answer.corrections.map(({ typed, found }) => (
        <Note key={typed} tone="info">
          <p>
            Nothing has the word <q>{typed}</q>. Searched for{" "}
            {found.slice(0, 3).map((word, index) => (
              <span key={word}>
                {index > 0 && ", "}
                <strong>{word}</strong>
              </span>
            ))}{" "}
            instead.
          </p>
        </Note>
      ))}
      {answer.shortened && (
        <Note tone="warn">
          <p>The text is too long: only its beginning was searched for. Use fewer words.</p>
        </Note>
      )}
      {answer.partial && (
        <Note tone="warn">
          <p>The index does not have the newest changes yet, so products may be missing. Search again in a minute.</p>
        </Note>
      )}
    </>
  );
}

function NothingFound({ search, partial }: { search: FindSearch; partial: boolean }) {
  const filters = chosen(search);
  if (partial) return <Empty title="Nothing found so far." />;
  return (
    <Empty title={search.q ? "No product that you may know of matches." : "No product here that you may know of."}>
      <ul>
        {filters > 0 && (
          <li>
            <Link to="/" search={{ q: search.q }}>
              Search without the {filters === 1 ? "filter" : "filters"}
            </Link>
          </li>
        )}
        {search.q && /\s/.test(search.q.trim()) && (
          <li>Use fewer words: the name of a column, or of the thing that a row describes.</li>
        )}
        {search.q && (
          <li>
            <Link to="/">Show all products</Link>
          </li>
        )}
        <li>Confidential products are listed only for those who may know of them: ask an owner of the domain.</li>
      </ul>
    </Empty>
  );
}

function Facets({ answer, search }: { answer: Answer | undefined; search: FindSearch }) {
  const navigate = route.useNavigate();
  const toggle = (key: FacetKey, value: string) =>
    void navigate({ search: toggled(search, key, value), resetScroll: false });
  const n = chosen(search);
  const groups = facets.map(([facet, key, label]) => {
    const counted = answer?.facets.find((counts) => counts.facet === facet)?.values ?? [];
    // What is chosen stays to be taken back, also without a product left.
    const missing = (search[key] ?? []).filter((value) => !counted.some((item) => item.value === value));
    return { key, label, values: [...counted, ...missing.map((value) => ({ value, count: 0 }))] };
  });
  return (
    <details className="facets" open={isWide()}>
      <summary>Filters{n > 0 && ` (${n})`}</summary>
      {n > 0 && (
        <p>
          <Link to="/" search={{ q: search.q }}>
            Clear {count(n, "filter")}
          </Link>
        </p>
      )}
      {groups.map(
        ({ key, label, values }) =>
          values.length > 0 && (
            <fieldset key={key}>
              <legend>{label}</legend>
              {values.slice(0, key === "domain" ? 12 : 8).map(({ value, count: n }) => (
                <label key={value} className="check">
                  <input
                    type="checkbox"
                    checked={search[key]?.includes(value) ?? false}
                    onChange={() => toggle(key, value)}
                  />
                  <span className={key === "domain" ? "mono" : undefined}>{facetWord(key, value)}</span>
                  <span className="facet-count">{n}</span>
                </label>
              ))}
            </fieldset>
          ),
      )}
    </details>
  );
}

function facetWord(key: FacetKey, value: string): string {
  const known: Record<string, string> = {
    "access read": "You can read it",
    "access request": "Ask for access",
    "access know": "Know of it only",
    "verdict pass": "Passes",
    "verdict warn": "With warnings",
    "verdict fail": "Fails",
    "verdict error": "Not inspected in full",
    "verdict none": "Not inspected",
  };
  return key === "domain" ? value : (known[`${key} ${value}`] ?? title(words(value)));
}

function isWide(): boolean {
  return window.matchMedia("(min-width: 60rem)").matches;
}

/** `j` and `k` move the focus over the hits. */
function useMoveInList(list: { current: HTMLElement | null }) {
  const move = (step: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>("h2 a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at === -1 ? (step > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, at + step))]?.focus();
  };
  useShortcut("j", "Next in the list", () => move(1));
  useShortcut("k", "Previous in the list", () => move(-1));
}

function command(search: FindSearch): string {
  const options = facets.flatMap(([, key]) => (search[key] ?? []).map((value) => `--${key} ${shellWord(value)}`));
  return ["charter search", ...options, ...(search.q ? [shellWord(search.q)] : [])].join(" ");
}
