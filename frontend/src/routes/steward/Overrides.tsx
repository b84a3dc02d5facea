import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { idempotencyKey, useChange, useQuery } from "../../api/query";
import { hasRole } from "../../api/session";
import { OverridesDocument, type OverridesQuery, RevokeOverrideDocument } from "../../gen/graphql";
import { addressOf } from "../../lib/paths";
import { count } from "../../lib/text";
import { useTitle } from "../../shell/Shell";
import { AskReason } from "../../ui/AskReason";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { AddressField } from "../../ui/inputs";
import { Answered, Day, PageHead, Part } from "../../ui/Page";
import { Empty, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { askedProduct } from "../access/access";
import { Findings } from "../team/Findings";
import { StewardNav } from "./StewardNav";

const route = getRouteApi("/steward/overrides");

type Contract = NonNullable<OverridesQuery["product"]>["contracts"][number];
type Row = Contract["overrides"][number] & { contract: string };

/** Breaking changes that a steward accepted, by product. */
export function Overrides() {
  const { product } = route.useSearch();
  const asked = askedProduct({ product });
  const variables = { domain: asked?.domain ?? "", name: asked?.name ?? "" };
  const query = useQuery(OverridesDocument, variables, asked !== undefined);
  useTitle(product ? `${product} · Overrides` : "Overrides");
  return (
    <div className="page stack">
      <PageHead
        title="Overrides"
        tools={
          product && (
            <CopyAs
              command={`charter override list ${shellWord(product)}`}
              operation={OverridesDocument}
              variables={variables}
            />
          )
        }
      >
        Versions with a smaller number than their changes need, which a steward accepted with a reason and an end.
      </PageHead>
      <StewardNav />
      <Choose key={product} />
      {!product && (
        <Empty title="Of which product?">
          <p>
            The newest of all products are in the{" "}
            <Link to="/steward/records" search={{ action: "OVERRIDE_CREATE" }}>
              records
            </Link>
            .
          </p>
        </Empty>
      )}
      {product && !asked && (
        <Empty title={`${product} is no address of a product.`}>
          <p>
            An address is a domain and a product with a dot between: <span className="mono">nyc.flights</span>
          </p>
        </Empty>
      )}
      {asked && (
        <Answered query={query} what="the overrides">
          {(data) =>
            data.product ? (
              <Loaded data={data} product={data.product} />
            ) : (
              <Empty title={`No product ${product} that you may know of.`}>
                <p>
                  <Link to="/" search={{ q: asked.name }}>
                    Search for it
                  </Link>
                </p>
              </Empty>
            )
          }
        </Answered>
      )}
    </div>
  );
}

function Choose() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(search.product ?? "");
  return (
    <form
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({ search: { product: text.trim() || undefined } });
      }}
    >
      <AddressField label="Product" form="domain.product" value={text} onChange={setText} />
      <Button type="submit">Show</Button>
    </form>
  );
}

function Loaded({ data, product }: { data: OverridesQuery; product: NonNullable<OverridesQuery["product"]> }) {
  const rows = product.contracts.flatMap(({ documentId, overrides }): Row[] =>
    overrides.map((override) => ({ ...override, contract: documentId })),
  );
  const broken = rows.filter(({ intact }) => !intact).length;
  const steward = hasRole(data.viewer, ["STEWARD"]);
  return (
    <>
      {broken > 0 && (
        <Note tone="bad">
          <p>
            {count(broken, "override")} {broken === 1 ? "is" : "are"} not as signed: nothing can be published in this
            product until a steward revokes {broken === 1 ? "it" : "them"}.
          </p>
        </Note>
      )}
      <Table
        caption={`Overrides of ${addressOf(product)}`}
        columns={columns(steward)}
        rows={rows}
        rowKey={({ id }) => id}
        file="overrides"
        empty={
          <Empty title="No breaking change was accepted here.">
            <p>
              A steward reviews a refused version with <code>charter override review</code>
            </p>
          </Empty>
        }
      />
      {rows
        .filter(({ stands }) => stands)
        .map((row) => (
          <Part key={row.id} title={`What ${row.contract} ${row.version} breaks`} note={`from ${row.comparedWith}`}>
            <Findings caption={`What ${row.contract} ${row.version} breaks`} findings={row.findings} />
          </Part>
        ))}
    </>
  );
}

function columns(steward: boolean): Column<Row>[] {
  return [
    {
      name: "Version",
      cell: ({ contract, version, comparedWith }) => (
        <>
          {contract} {version}
          <span className="quiet-text block">compared with {comparedWith}</span>
        </>
      ),
      text: ({ contract, version }) => `${contract} ${version}`,
    },
    {
      name: "State",
      cell: (row) => <Chip tone={state(row)[0]}>{state(row)[1]}</Chip>,
      text: (row) => state(row)[1],
    },
    {
      name: "Reason",
      cell: ({ reason, revokeReason, revokedBy }) => (
        <>
          {reason}
          {revokeReason && (
            <span className="quiet-text block">
              Revoked{revokedBy && ` by ${revokedBy.subject}`}: {revokeReason}
            </span>
          )}
        </>
      ),
      text: ({ reason }) => reason,
    },
    {
      name: "Accepted",
      cell: ({ steward, createdAt }) => (
        <>
          <Time at={createdAt} /> {steward && <span className="quiet-text">by {steward.subject}</span>}
        </>
      ),
      text: ({ createdAt }) => createdAt,
    },
    { name: "Ends", cell: ({ expiresAt }) => <Day at={expiresAt} />, text: ({ expiresAt }) => expiresAt },
    {
      name: "Changes",
      number: true,
      cell: ({ findings }) => findings.length,
      text: ({ findings }) => String(findings.length),
      sort: ({ findings }) => findings.length,
    },
    { name: "What to do", cell: (row) => steward && !row.revokedAt && <Revoke row={row} /> },
  ];
}

function state({ stands, intact, revokedAt }: Row) {
  if (!intact) return ["bad", "Not as signed"] as const;
  if (stands) return ["warn", "In force"] as const;
  return ["plain", revokedAt ? "Revoked" : "Ended"] as const;
}

function Revoke({ row }: { row: Row }) {
  const change = useChange(RevokeOverrideDocument);
  const [open, setOpen] = useState(false);
  return (
    <span className="row-tools">
      <Button aria-label={`Revoke the override of ${row.contract} ${row.version}`} onClick={() => setOpen(true)}>
        Revoke
      </Button>
      <AskReason
        title={`Revoke the override of ${row.contract} ${row.version}`}
        open={open}
        onClose={() => setOpen(false)}
        verb="Revoke"
        busy={change.running}
        error={change.error}
        act={async (reason) => {
          const done = await change.run({ input: { override: row.id, reason, idempotencyKey: idempotencyKey() } });
          if (done) announce("The override is revoked");
          return done !== undefined;
        }}
      />
    </span>
  );
}
