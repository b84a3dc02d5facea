import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useQuery } from "../../api/query";
import {
  ContractChangesDocument,
  ContractDocumentDocument,
  type ContractHeadFragment,
  type ContractState,
} from "../../gen/graphql";
import { count, title, words } from "../../lib/text";
import { Button } from "../../ui/Button";
import { Chip, type Tone } from "../../ui/Chip";
import { Snippet } from "../../ui/Copy";
import { CopyAs } from "../../ui/CopyAs";
import { Dialog } from "../../ui/Dialog";
import { Empty, Failure, Loading } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { byVersion, meaningOf, meanings, needed } from "./changes";
import type { Found } from "./Product";

const route = getRouteApi("/products/$");

type Version = ContractHeadFragment["versions"]["nodes"][number];

const states: Record<ContractState, Tone> = {
  DRAFT: "info",
  ACTIVE: "good",
  SUPERSEDED: "plain",
  DEPRECATED: "warn",
  RETIRED: "bad",
};

export function Versions({ product }: { product: Found }) {
  return (
    <section className="block" aria-labelledby="versions">
      <h2 id="versions">Versions</h2>
      {product.contracts.length === 0 && (
        <Empty title="This product has no contract.">
          <p>
            <code>charter contract init</code> writes a first one.
          </p>
        </Empty>
      )}
      {product.contracts.map((contract) => (
        <Contract key={contract.id} contract={contract} several={product.contracts.length > 1} />
      ))}
    </section>
  );
}

function Contract({ contract, several }: { contract: ContractHeadFragment; several: boolean }) {
  const versions = contract.versions.nodes;
  const [shown, setShown] = useState<Version>();
  const columns: Column<Version>[] = [
    {
      name: "Version",
      cell: ({ version }) => <span className="mono">{version}</span>,
      text: ({ version }) => version,
    },
    {
      name: "State",
      cell: ({ state, reasons }) => (
        <>
          <Chip tone={states[state]}>{title(state)}</Chip>
          {reasons.map((reason) => (
            <p key={reason} className="quiet-text">
              waits: {reason}
            </p>
          ))}
        </>
      ),
      text: ({ state }) => words(state),
    },
    {
      name: "Published",
      short: true,
      cell: ({ publishedAt }) => <Time at={publishedAt} />,
      text: ({ publishedAt }) => publishedAt,
    },
    {
      name: "Ends",
      short: true,
      cell: ({ sunset }) => (sunset ? <Time at={sunset} day /> : <span className="quiet-text">no end set</span>),
      text: ({ sunset }) => sunset ?? "",
    },
    {
      name: "Document",
      cell: (version) => (
        <Button
          look="quiet"
          icon="file"
          onClick={() => setShown(version)}
          aria-label={`Show the document of ${version.version}`}
        >
          Show
        </Button>
      ),
    },
  ];
  return (
    <>
      <h3>
        {contract.name ?? contract.documentId}{" "}
        {several && <span className="mono quiet-text">{contract.documentId}</span>}
      </h3>
      <Table
        caption={`Versions of ${contract.documentId}`}
        columns={columns}
        rows={versions}
        rowKey={({ id }) => id}
        file={`${contract.documentId}-versions`}
      />
      {versions.length > 1 && <Difference contract={contract} />}
      <Dialog
        title={`${contract.documentId} ${shown?.version ?? ""}`}
        open={shown !== undefined}
        onClose={() => setShown(undefined)}
        wide
      >
        {shown && <DocumentText version={shown.id} />}
      </Dialog>
    </>
  );
}

function DocumentText({ version }: { version: string }) {
  const query = useQuery(ContractDocumentDocument, { version });
  if (query.error) return <Failure what="The document cannot be shown." error={query.error} retry={query.retry} />;
  const found = query.data?.node?.document;
  if (!found) return <Loading what="the document" lines={10} />;
  return (
    <>
      <p className="quiet-text">
        {found.mediaType}, SHA-256 <code>{found.digest}</code>
      </p>
      <Snippet text={found.text} what="document" />
    </>
  );
}

/** What changed between any two versions, by what it means for a reader. */
function Difference({ contract }: { contract: ContractHeadFragment }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = contract.versions.nodes.map(({ version }) => version).sort(byVersion);
  const mine = search.contract === contract.documentId || search.contract === undefined;
  const chosen = mine && names.includes(search.from ?? "") && names.includes(search.to ?? "");
  const from = (chosen && search.from) || names[names.length - 2] || "";
  const to = (chosen && search.to) || names[names.length - 1] || "";
  const [open, setOpen] = useState(chosen);
  const variables = { contract: contract.id, from, to };
  const query = useQuery(ContractChangesDocument, variables, open && from !== to);
  const changes = query.data?.node?.changes;
  const choose = (side: { from?: string; to?: string }) => {
    setOpen(true);
    void navigate({
      search: { ...search, contract: contract.documentId, from, to, ...side },
      replace: true,
      resetScroll: false,
    });
  };
  const select = (label: string, value: string, side: "from" | "to") => (
    <label className="inline-field">
      {label}
      <select value={value} onChange={(event) => choose({ [side]: event.currentTarget.value })}>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div className="difference" aria-busy={query.loading}>
      <div className="row">
        {select("What changed from", from, "from")}
        {select("to", to, "to")}
        {!open && (
          <Button onClick={() => choose({})} icon="right">
            Compare
          </Button>
        )}
        {open && <CopyAs operation={ContractChangesDocument} variables={variables} />}
      </div>
      {open && from === to && <p className="quiet-text">The same version: choose two.</p>}
      {query.error && <Failure what="The versions cannot be compared." error={query.error} retry={query.retry} />}
      {open && from !== to && !changes && !query.error && <Loading what="the changes" lines={4} />}
      {changes && from !== to && (
        <>
          <p>
            <strong>{count(changes.length, "change")}</strong>; together they need a bump of{" "}
            <strong>{words(needed(changes))}</strong>.
          </p>
          {meanings.map(([meaning, label, why]) => {
            const group = changes.filter((change) => meaningOf(change) === meaning);
            if (group.length === 0) return null;
            return (
              <section key={meaning} className={`meaning ${meaning}`} aria-label={label}>
                <h4>
                  {label} <span className="quiet-text">{why}</span>
                </h4>
                <ul className="plain-list">
                  {group.map((change) => (
                    <li key={change.path + change.rule + change.message}>
                      <p>
                        <span className="mono">{change.path}</span> {change.message}{" "}
                        <Chip tone={change.bump === "MAJOR" ? "bad" : change.bump === "MINOR" ? "info" : "plain"}>
                          {words(change.bump)}
                        </Chip>
                      </p>
                      {change.before !== null && (
                        <p className="was">
                          <del>
                            <span className="visually-hidden">before: </span>
                            {change.before}
                          </del>
                        </p>
                      )}
                      {change.after !== null && (
                        <p className="is">
                          <ins>
                            <span className="visually-hidden">after: </span>
                            {change.after}
                          </ins>
                        </p>
                      )}
                      {change.proof && (
                        <p className="quiet-text">
                          Enough is a minor if for every row: <code>{change.proof}</code>
                        </p>
                      )}
                      <code className="quiet-text">{change.rule}</code>
                    </li>
                  ))}
                </ul>
              </section>
            );
          })}
        </>
      )}
    </div>
  );
}
