import { getRouteApi, Link } from "@tanstack/react-router";
import { useQuery } from "../../api/query";
import {
  BoardDocument,
  type BoardListsFragment,
  type BoardQuery,
  DomainBoardDocument,
  type DomainBoardQuery,
  type Enforcement,
} from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { duration } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { Chip } from "../../ui/Chip";
import { CopyAs } from "../../ui/CopyAs";
import { Icon } from "../../ui/Icon";
import { Answered, Day, OnlyNewest, PageHead, Part } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { StateChip, VerdictChip, verdictText } from "../../ui/words";
import { boardRows, domainsOf, type Row } from "./board";
import { TeamNav } from "./TeamNav";

const route = getRouteApi("/team");

export function Board() {
  const { domain, after } = route.useSearch();
  useTitle(domain ? `${domain} · Board` : "Board");
  return (
    <div className="page stack">
      <PageHead
        title="Board"
        tools={
          domain ? (
            <CopyAs
              command={`charter product list --domain ${domain}`}
              operation={DomainBoardDocument}
              variables={{ domain, after: after ?? null }}
            />
          ) : (
            <CopyAs operation={BoardDocument} variables={{}} />
          )
        }
      >
        The products of your domains: what their data is worth now, who waits, and who reads which major.
      </PageHead>
      <TeamNav />
      {domain ? <OneDomain domain={domain} after={after} /> : <AllDomains />}
    </div>
  );
}

function AllDomains() {
  const query = useQuery(BoardDocument, {});
  return (
    <Answered query={query} what="your products">
      {(data) => {
        const domains = domainsOf(data.viewer.roles);
        if (domains.length === 0) {
          return (
            <Empty title="You own and publish for no domain.">
              <p>
                An owner of a domain, or an admin, gives the role: <code>charter role assign</code>
              </p>
              <p>
                <Link to="/">Find products of others</Link>
              </p>
            </Empty>
          );
        }
        return (
          <>
            {domains.map((domain) => (
              <DomainPart key={domain.path} domain={domain} lists={data} />
            ))}
          </>
        );
      }}
    </Answered>
  );
}

function OneDomain({ domain, after }: { domain: string; after?: string }) {
  const query = useQuery(DomainBoardDocument, { domain, after: after ?? null });
  return (
    <Answered query={query} what="the domain">
      {(data) =>
        data.domain ? (
          <DomainPart domain={data.domain} lists={data} whole after={after} />
        ) : (
          <Empty title={`No domain ${domain}.`}>
            <p>
              <Link to="/team">See the board of your domains</Link>
            </p>
          </Empty>
        )
      }
    </Answered>
  );
}

type Domain = NonNullable<BoardQuery["viewer"]["roles"][number]["domain"]> | NonNullable<DomainBoardQuery["domain"]>;

function DomainPart({
  domain,
  lists,
  whole,
  after,
}: {
  domain: Domain;
  lists: BoardListsFragment;
  whole?: boolean;
  after?: string;
}) {
  const { nodes, pageInfo } = domain.products;
  return (
    <Part title={domain.path} note={<EnforcementText enforcement={domain.enforcement} switchAt={domain.switchAt} />}>
      <Table
        caption={`Products of ${domain.path}`}
        columns={columns}
        rows={boardRows(nodes, lists)}
        rowKey={({ key }) => key}
        file={`board-${domain.path.replaceAll("/", "-")}`}
        empty={
          <Empty title="No products here that you may see.">
            <p>
              <Link to="/team/change" search={{ domain: domain.path }}>
                Preview the first one
              </Link>
            </p>
          </Empty>
        }
      />
      {(pageInfo.hasNextPage || after) && (
        <nav className="row-tools" aria-label={`More of ${domain.path}`}>
          {after && (
            <Link to="/team" search={{ domain: domain.path }}>
              <Icon name="left" /> First products
            </Link>
          )}
          {pageInfo.hasNextPage && (
            <Link
              to="/team"
              search={{ domain: domain.path, after: whole ? (pageInfo.endCursor ?? undefined) : undefined }}
            >
              {whole ? "More products" : `All products of ${domain.path}`} <Icon name="right" />
            </Link>
          )}
        </nav>
      )}
      <OnlyNewest of={lists.grants} n={200} what="grants" />
      <OnlyNewest of={lists.accessRequests} n={50} what="requests" />
    </Part>
  );
}

/** How far a domain's contracts bind. */
export function EnforcementText({ enforcement, switchAt }: { enforcement: Enforcement; switchAt?: string | null }) {
  const word: Record<Enforcement, string> = {
    ON: "Contracts bind",
    REPORT: "Contracts are judged and do not bind",
    OFF: "Contracts are not judged",
  };
  return (
    <>
      {word[enforcement]}
      {enforcement !== "ON" && switchAt && (
        <>
          ; they bind from <Day at={switchAt} />
        </>
      )}
    </>
  );
}

const columns: Column<Row>[] = [
  {
    name: "Product",
    cell: ({ product, table }) => (
      <>
        <Link to="/products/$" params={{ _splat: productSplat(product) }}>
          {product.title ?? product.name}
        </Link>
        <br />
        <span className="mono quiet-text">{table?.address ?? addressOf(product)}</span>
      </>
    ),
    text: ({ product, table }) => table?.address ?? addressOf(product),
  },
  {
    name: "Contract",
    cell: ({ product, table }) => (
      <>
        {table?.contractVersion ? table.contractVersion.version : "—"}
        {table?.contractVersion && table.contractVersion.state !== "ACTIVE" && (
          <>
            {" "}
            <Chip tone="warn">{table.contractVersion.state.toLowerCase()}</Chip>
          </>
        )}
        {product.state !== "ACTIVE" && (
          <>
            {" "}
            <StateChip state={product.state} />
          </>
        )}
      </>
    ),
    text: ({ table }) =>
      table?.contractVersion ? `${table.contractVersion.version} ${table.contractVersion.state.toLowerCase()}` : "",
  },
  {
    name: "Newest data",
    cell: ({ table }) => {
      if (!table) return <span className="quiet-text">No tables</span>;
      if (!table.head?.verdict) return <span className="quiet-text">Not inspected</span>;
      return <VerdictChip verdict={table.head.verdict.verdict} />;
    },
    text: ({ table }) => (table?.head?.verdict ? verdictText(table.head.verdict.verdict) : ""),
  },
  {
    name: "Freshness",
    cell: ({ table }) => {
      const at = table?.freshness?.committedAt ?? table?.head?.committedAt;
      const { freshness } = table ?? {};
      return (
        <>
          {at ? <Time at={at} /> : <span className="quiet-text">No data</span>}{" "}
          {freshness?.late && (
            <Chip tone="bad" icon="clock">
              Late
            </Chip>
          )}
          {freshness && (
            <span className="quiet-text block">promised {duration(Number(freshness.promisedSeconds))}</span>
          )}
        </>
      );
    },
    text: ({ table }) => table?.freshness?.committedAt ?? table?.head?.committedAt ?? "",
  },
  {
    name: "Waiting",
    number: true,
    cell: ({ waiting, product }) =>
      waiting > 0 ? (
        <Link to="/inbox" aria-label={`${waiting} requests wait: ${product.title ?? product.name}`}>
          {waiting}
        </Link>
      ) : (
        0
      ),
    text: ({ waiting }) => String(waiting),
    sort: ({ waiting }) => waiting,
  },
  {
    name: "Grants",
    number: true,
    cell: ({ consumers }) => consumers,
    text: ({ consumers }) => String(consumers),
    sort: ({ consumers }) => consumers,
  },
  {
    name: "Readers, 30 days",
    number: true,
    cell: ({ product }) => product.usage.readers,
    text: ({ product }) => String(product.usage.readers),
    sort: ({ product }) => product.usage.readers,
  },
  {
    name: "Gate",
    cell: ({ table }) =>
      table && (
        <Link
          to="/team/gate"
          search={{ address: table.address }}
          aria-label={`Line by line: the gate of ${table.address}`}
        >
          Line by line
        </Link>
      ),
  },
];
