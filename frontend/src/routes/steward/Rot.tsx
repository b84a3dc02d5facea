import { getRouteApi, Link } from "@tanstack/react-router";
import { useQuery } from "../../api/query";
import { RotDocument, type RotKind, type RotQuery } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { useTitle } from "../../shell/Shell";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { Answered, Day, PageHead, Part } from "../../ui/Page";
import { Empty, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { StewardNav } from "./StewardNav";

const route = getRouteApi("/steward/rot");

type Finding = RotQuery["rot"]["findings"][number];

const kinds: Record<RotKind, readonly [string, string]> = {
  WITHOUT_OWNER: ["Domains without an owner", "Give a person the role: no request can be answered until then."],
  NOT_ENFORCED: ["Domains whose contracts do not bind", "Set the day from which they bind, under Enforcement."],
  NOT_PASSING: [
    "Contracts whose newest data does not pass",
    "Mend the data, or the promise: the gate says by which rule.",
  ],
  NOT_USED: ["Grants never used for 30 days", "Ask the holder, or revoke them under Grants."],
  NOT_READ: ["Products not read for 90 days", "Ask the owner whether it is still needed; a product can be retired."],
};

/** Neglected parts of the catalog, by kind. */
export function Rot() {
  const { domain } = route.useSearch();
  const variables = { domain: domain ?? null };
  const query = useQuery(RotDocument, variables);
  useTitle("Neglected");
  return (
    <div className="page stack">
      <PageHead
        title="Neglected"
        tools={
          <CopyAs
            command={`charter report rot${domain ? ` --domain ${shellWord(domain)}` : ""}`}
            operation={RotDocument}
            variables={variables}
          />
        }
      >
        What has no owner, no rule, no reader, or data that does not pass, in the domains of your roles.
      </PageHead>
      <StewardNav />
      {domain && (
        <p>
          Only of <span className="mono">{domain}</span>.{" "}
          <Link to="/steward/rot" search={{}}>
            Of all domains
          </Link>
        </p>
      )}
      <Answered query={query} what="the report">
        {({ rot: { findings, complete } }) => (
          <>
            {!complete && (
              <Note tone="warn">
                <p>There are more than 1,000 of a kind: ask for one domain to see them all.</p>
              </Note>
            )}
            {findings.length === 0 && (
              <Empty title="Nothing is neglected, in the domains of your roles.">
                <p>Without a role in a domain or on the platform, this list is empty.</p>
              </Empty>
            )}
            {(Object.keys(kinds) as RotKind[]).map((kind) => {
              const rows = findings.filter((finding) => finding.kind === kind);
              if (rows.length === 0) return null;
              const [title, todo] = kinds[kind];
              return (
                <Part key={kind} title={title} note={rows.length}>
                  <p>{todo}</p>
                  <Table
                    caption={title}
                    columns={columns}
                    rows={rows}
                    rowKey={(row) => `${row.address} ${row.grant?.id ?? ""} ${row.since}`}
                    file={`neglected-${kind.toLowerCase().replaceAll("_", "-")}`}
                  />
                </Part>
              );
            })}
          </>
        )}
      </Answered>
    </div>
  );
}

const columns: Column<Finding>[] = [
  {
    name: "What",
    cell: ({ address, product }) =>
      product ? (
        <>
          <Link to="/products/$" params={{ _splat: productSplat(product) }}>
            {product.title ?? product.name}
          </Link>
          <span className="mono quiet-text block">{address}</span>
        </>
      ) : (
        <span className="mono">{address}</span>
      ),
    text: ({ address }) => address,
  },
  {
    name: "Domain",
    cell: ({ domain }) => (
      <Link to="/steward/rot" search={{ domain: domain.path }} className="mono">
        {domain.path}
      </Link>
    ),
    text: ({ domain }) => domain.path,
  },
  {
    name: "Detail",
    cell: ({ grant, contractVersion, kind, product }) => {
      if (grant) return `Grant of ${grant.principal.subject}`;
      if (contractVersion) return `Version ${contractVersion.version}`;
      if (kind === "NOT_ENFORCED") return <Link to="/steward/domains">Enforcement</Link>;
      return product ? addressOf(product) : "";
    },
    text: ({ grant, contractVersion }) => grant?.principal.subject ?? contractVersion?.version ?? "",
  },
  { name: "Since", cell: ({ since }) => <Day at={since} />, text: ({ since }) => since },
];
