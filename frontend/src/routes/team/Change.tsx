import "./change.css";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useQuery } from "../../api/query";
import {
  ChangeDocument,
  type ChangeKind,
  PlanDocument,
  type PlanQuery,
  type ProblemSeenFragment,
} from "../../gen/graphql";
import { addressOf } from "../../lib/paths";
import { count, words } from "../../lib/text";
import { useTitle } from "../../shell/Shell";
import { Button } from "../../ui/Button";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { Field } from "../../ui/Field";
import { Answered, PageHead, Part } from "../../ui/Page";
import { Empty, Failure, Loading, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { BumpChip, Findings } from "./Findings";
import { TeamNav } from "./TeamNav";

const route = getRouteApi("/team/change");

interface Given {
  path: string;
  text: string;
}

const longest_bytes = 1_000_000;

/** What a set of documents would change, and whom it breaks, before it is applied. Nothing is changed here. */
export function Change() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(ChangeDocument, {});
  const [documents, setDocuments] = useState<Given[]>([]);
  const [text, setText] = useState("");
  const [over, setOver] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const [asked, setAsked] = useState<{ domain?: string; documents: Given[] }>();
  const variables = { input: { documents: asked?.documents ?? [], domain: asked?.domain } };
  const plan = useQuery(PlanDocument, variables, asked !== undefined);
  useTitle("Change preview");

  const take = async (files: readonly File[]) => {
    setWrong(undefined);
    const taken: Given[] = [];
    for (const file of files) {
      if (!/\.(ya?ml|json)$/i.test(file.name)) {
        setWrong(`${file.name} is no contract or product: give .yaml, .yml or .json files`);
        return;
      }
      taken.push({ path: file.name, text: await file.text() });
    }
    const names = new Set(taken.map(({ path }) => path));
    setDocuments((before) => [...before.filter(({ path }) => !names.has(path)), ...taken]);
  };
  const preview = () => {
    const all = [...documents, ...(text.trim() === "" ? [] : [{ path: "pasted.yaml", text }])];
    const size = all.reduce((n, document) => n + document.text.length, 0);
    if (all.length === 0) return setWrong("Paste a document, or drop its file");
    if (size > longest_bytes) {
      return setWrong("The documents are larger than 1 MB: run the command charter plan with the files");
    }
    setWrong(undefined);
    setAsked({ domain: search.domain, documents: all });
    if (asked) plan.retry();
  };
  return (
    <div className="page stack">
      <PageHead
        title="Change preview"
        tools={
          asked && (
            <CopyAs
              command={[
                "charter plan",
                ...(asked.domain ? ["--domain", shellWord(asked.domain)] : []),
                ...asked.documents.map(({ path }) => shellWord(path)),
              ].join(" ")}
              operation={PlanDocument}
              variables={variables}
            />
          )
        }
      >
        What a contract or product would change, which version number it needs, and whom it breaks. Nothing is changed.
      </PageHead>
      <TeamNav />
      <Answered query={query} what="the domains">
        {(data) => (
          <form
            className={over ? "form drop over" : "form drop"}
            onSubmit={(event) => {
              event.preventDefault();
              preview();
            }}
            onDragOver={(event) => {
              event.preventDefault();
              setOver(true);
            }}
            onDragLeave={() => setOver(false)}
            onDrop={(event) => {
              event.preventDefault();
              setOver(false);
              void take([...(event.dataTransfer?.files ?? [])]);
            }}
          >
            <div className="fields">
              <Field label="Domain" hint="For documents that name none.">
                {(aria) => (
                  <select
                    {...aria}
                    value={search.domain ?? ""}
                    onChange={(event) =>
                      void navigate({ search: { domain: event.currentTarget.value || undefined }, replace: true })
                    }
                  >
                    <option value="">As the documents say</option>
                    {data.domains.nodes.map(({ path }) => (
                      <option key={path} value={path}>
                        {path}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field label="Files" hint="Or drop them here.">
                {(aria) => (
                  <input
                    {...aria}
                    type="file"
                    multiple
                    accept=".yaml,.yml,.json"
                    onChange={(event) => {
                      void take([...(event.currentTarget.files ?? [])]);
                      event.currentTarget.value = "";
                    }}
                  />
                )}
              </Field>
            </div>
            {documents.length > 0 && (
              <ul className="chips plain-list" aria-label="Chosen files">
                {documents.map(({ path }) => (
                  <li key={path}>
                    <Button
                      icon="cross"
                      aria-label={`Leave out ${path}`}
                      onClick={() => setDocuments((before) => before.filter((document) => document.path !== path))}
                    >
                      {path}
                    </Button>
                  </li>
                ))}
              </ul>
            )}
            <Field
              label="Document"
              hint={
                <>
                  Contracts and products in YAML or JSON; <code>---</code> separates several.
                </>
              }
              error={wrong}
            >
              {(aria) => (
                <textarea
                  {...aria}
                  className="mono"
                  rows={10}
                  spellCheck={false}
                  value={text}
                  onInput={(event) => setText(event.currentTarget.value)}
                />
              )}
            </Field>
            <div>
              <Button look="primary" type="submit" busy={plan.loading}>
                {plan.loading ? "Comparing …" : "Preview"}
              </Button>
            </div>
          </form>
        )}
      </Answered>
      {asked && (
        <section className="stack" aria-label="What it would change" aria-live="polite" aria-busy={plan.loading}>
          {plan.error && <Failure what="The preview failed." error={plan.error} retry={plan.retry} />}
          {plan.loading && !plan.data && <Loading what="the preview" />}
          {plan.data && <Result result={plan.data.planDocuments} />}
        </section>
      )}
    </div>
  );
}

type Result = PlanQuery["planDocuments"];
type Changes = Extract<Result, { __typename: "PlanDocumentsPayload" }>["changes"];
type Refusal = Extract<Result, { __typename: "RefusedVersions" }>["refusals"][number];

function Result({ result }: { result: Result }) {
  switch (result.__typename) {
    case "InvalidDocuments":
      return (
        <>
          <Note tone="bad">
            <p>
              {count(result.problems.length, "error")} in the documents. Correct them and preview again; nothing was
              compared.
            </p>
          </Note>
          <Problems caption="Errors" problems={result.problems} />
        </>
      );
    case "RefusedVersions":
      return (
        <>
          {result.refusals.map((refusal) => (
            <Refused key={`${refusal.contract} ${refusal.version}`} refusal={refusal} />
          ))}
        </>
      );
    case "PlanDocumentsPayload":
      return <Planned changes={result.changes} warnings={result.warnings} />;
  }
}

function Refused({ refusal }: { refusal: Refusal }) {
  return (
    <Part title={`${refusal.contract} ${refusal.version} is refused`}>
      <Note tone="bad">
        <p>
          Compared with {refusal.comparedWith}, it needs a <BumpChip bump={refusal.needed} /> number.
        </p>
        <p>
          Set the version {refusal.suggested} and preview again, which also names the readers that it breaks; or undo
          the changes below. If readers are safe all the same, a steward can accept exactly these changes:{" "}
          <code>charter override review</code>.
        </p>
      </Note>
      <Findings caption={`Changes of ${refusal.contract} from ${refusal.comparedWith}`} findings={refusal.findings} />
    </Part>
  );
}

function Planned({ changes, warnings }: { changes: Changes; warnings: ProblemSeenFragment[] }) {
  const real = changes.filter(({ change }) => change !== "UNCHANGED");
  const broken = changes.filter(({ affected }) => affected && (affected.count > 0 || !affected.complete));
  const breaking = changes.some(({ affected }) => affected);
  return (
    <>
      {broken.length > 0 ? (
        <Note tone="bad">
          <p>
            <strong>It breaks readers.</strong> They are named below; whoever applies it opens a notice to them.
          </p>
        </Note>
      ) : breaking ? (
        <Note tone="warn">
          <p>It breaks the promise to readers; no known reader reads what it breaks.</p>
        </Note>
      ) : real.length > 0 ? (
        <Note tone="good">
          <p>It breaks no reader.</p>
        </Note>
      ) : (
        <Note tone="info">
          <p>It changes nothing: everything is published as it is here.</p>
        </Note>
      )}
      <Part title="Changes">
        <Table
          caption="What the documents change"
          columns={changeColumns}
          rows={changes}
          rowKey={({ kind, name, version }) => `${kind} ${name} ${version ?? ""}`}
          file="changes"
        />
      </Part>
      {changes.map((change) => {
        const title = `${change.name} ${change.version ?? ""}`.trim();
        return (
          <div key={`${change.kind} ${title}`} className="stack">
            {change.affected && <Affected title={title} affected={change.affected} />}
            {change.findings.length > 0 && (
              <Part title={`Differences of ${title}`} note={change.bump && <BumpChip bump={change.bump} />}>
                <Findings caption={`Differences of ${title}`} findings={change.findings} />
              </Part>
            )}
          </div>
        );
      })}
      {warnings.length > 0 && (
        <Part title="Warnings">
          <Problems caption="Warnings" problems={warnings} />
        </Part>
      )}
    </>
  );
}

function Affected({ title, affected }: { title: string; affected: NonNullable<Changes[number]["affected"]> }) {
  return (
    <Part title={`Who breaks by ${title}`} note={count(affected.count, "reader")}>
      {!affected.complete && (
        <Note tone="warn">
          <p>Not all reads are recorded, so there may be more.</p>
        </Note>
      )}
      <Table
        caption={`Who breaks by ${title}`}
        columns={readerColumns}
        rows={affected.consumers}
        rowKey={(row) => (row.principal?.id ?? "") + JSON.stringify(row.ports)}
        file="who-breaks"
        empty={<Empty title="No reader that is known reads what it breaks." />}
      />
      {affected.count > affected.consumers.length && (
        <p className="quiet-text">The first {affected.consumers.length} of them.</p>
      )}
    </Part>
  );
}

type Reader = NonNullable<Changes[number]["affected"]>["consumers"][number];

const readerColumns: Column<Reader>[] = [
  {
    name: "Reader",
    cell: ({ principal }) =>
      principal ? (
        <>
          {principal.subject}
          {principal.owner && <span className="quiet-text"> (service of {principal.owner.subject})</span>}
        </>
      ) : (
        "A reader whose name you may not see"
      ),
    text: ({ principal }) => principal?.subject ?? "",
  },
  {
    name: "Reads",
    cell: ({ ports }) =>
      ports.map(({ name, major, product }) => (
        <span key={`${name} ${major}`} className="mono block">
          {product ? addressOf(product) : ""} {name} v{major}
        </span>
      )),
    text: ({ ports }) => ports.map(({ name, major }) => `${name} v${major}`).join(", "),
  },
  {
    name: "Columns that break",
    cell: ({ ports }) =>
      ports.map(({ name, major, columns }) => (
        <span key={`${name} ${major}`} className="block">
          {columns === null || columns === undefined ? (
            "not known which"
          ) : columns.length > 0 ? (
            <span className="mono">{columns.join(", ")}</span>
          ) : (
            "none, but another promise"
          )}
        </span>
      )),
    text: ({ ports }) => ports.map(({ columns }) => (columns ? columns.join(" ") || "none" : "not known")).join(", "),
  },
];

const kinds: Record<ChangeKind, string> = {
  ADDED: "New",
  CHANGED: "Changes",
  TRANSITION: "Changes its state",
  UNCHANGED: "As it is",
  REMOVED: "Retired",
};

const changeColumns: Column<Changes[number]>[] = [
  {
    name: "What",
    cell: ({ kind, name, document }) => (
      <>
        {name} <span className="quiet-text">{words(kind)}</span>
        {document && <span className="mono quiet-text block">{document}</span>}
      </>
    ),
    text: ({ kind, name }) => `${words(kind)} ${name}`,
  },
  { name: "Version", cell: ({ version }) => version, text: ({ version }) => version ?? "" },
  { name: "Change", cell: ({ change }) => kinds[change], text: ({ change }) => kinds[change] },
  {
    name: "Then",
    cell: ({ state, reasons }) => (
      <>
        {state && words(state)}
        {reasons.map((reason) => (
          <span key={reason} className="quiet-text block">
            waits: {reason}
          </span>
        ))}
      </>
    ),
    text: ({ state, reasons }) => [state ?? "", ...reasons].join("; "),
  },
  {
    name: "Needs",
    cell: ({ bump }) => bump && <BumpChip bump={bump} />,
    text: ({ bump }) => (bump ? words(bump) : ""),
  },
];

function Problems({ caption, problems }: { caption: string; problems: readonly ProblemSeenFragment[] }) {
  return (
    <Table
      caption={caption}
      columns={[
        {
          name: "Where",
          cell: ({ document, line, column }) => (
            <span className="mono">
              {document}
              {line ? `:${line}` : ""}
              {column ? `:${column}` : ""}
            </span>
          ),
          text: ({ document, line, column }) => [document, line, column].filter((part) => part != null).join(":"),
        },
        { name: "Value", cell: ({ path }) => <span className="mono">{path || "—"}</span>, text: ({ path }) => path },
        { name: "What", cell: ({ message }) => message, text: ({ message }) => message },
      ]}
      rows={problems}
      rowKey={(row) => JSON.stringify(row)}
      file={caption.toLowerCase()}
    />
  );
}
