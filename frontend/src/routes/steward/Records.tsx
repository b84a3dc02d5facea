import { getRouteApi, Link } from "@tanstack/react-router";
import { useQuery } from "../../api/query";
import { RecordsDocument, type RecordsQuery } from "../../gen/graphql";
import { count } from "../../lib/text";
import { absoluteTime } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { Chip } from "../../ui/Chip";
import { CopyAs } from "../../ui/CopyAs";
import { Field } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { Answered, PageHead } from "../../ui/Page";
import { Empty, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { actionOf, actions, detailText, dotted, faults, outcomes } from "./actions";
import { StewardNav } from "./StewardNav";

const route = getRouteApi("/steward/records");

type Row = RecordsQuery["records"]["nodes"][number];

export function Records() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const action = actionOf(search.action);
  const variables = { action: action ?? null, after: search.after ?? null };
  const query = useQuery(RecordsDocument, variables);
  useTitle("Records");
  return (
    <div className="page stack">
      <PageHead
        title="Records"
        tools={
          <CopyAs
            command={`charter audit list${action ? ` --action ${dotted(action)}` : ""} --limit 100`}
            operation={RecordsDocument}
            variables={variables}
          />
        }
      >
        What was done, by whom, and how it ended, newest first. Each record is signed; one that was changed says so.
      </PageHead>
      <StewardNav />
      <div className="fields">
        <Field
          label="Action"
          error={search.action && !action ? `There is no action ${search.action}: choose one here` : undefined}
        >
          {(aria) => (
            <select
              {...aria}
              value={action ?? ""}
              onChange={(event) => void navigate({ search: { action: event.currentTarget.value || undefined } })}
            >
              <option value="">All actions</option>
              {Object.entries(actions).map(([code, word]) => (
                <option key={code} value={code}>
                  {word}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Answered query={query} what="the records">
        {(data) => {
          const { nodes, pageInfo } = data.records;
          const broken = nodes.filter(({ __typename }) => __typename === "BrokenRecord").length;
          return (
            <>
              {broken > 0 ? (
                <Note tone="bad">
                  <p>
                    {count(broken, "record")} of these {nodes.length} {broken === 1 ? "is" : "are"} not as signed: what
                    the row says can be false. Tell the operator, and keep a copy of the database.
                  </p>
                </Note>
              ) : (
                nodes.length > 0 && (
                  <p className="quiet-text">
                    <Icon name="check" size={14} /> The signatures of these {nodes.length} records fit.
                  </p>
                )
              )}
              <Table
                caption="Records"
                columns={columns}
                rows={nodes}
                rowKey={({ id }) => id}
                file="records"
                empty={
                  <Empty title="No record of this action.">
                    <p>
                      <Link to="/steward/records" search={{}}>
                        Show all records
                      </Link>
                    </p>
                  </Empty>
                }
              />
              {(search.after || pageInfo.hasNextPage) && (
                <nav className="row-tools" aria-label="Pages of records">
                  {search.after && (
                    <Link to="/steward/records" search={{ action: search.action }}>
                      <Icon name="left" /> Newest records
                    </Link>
                  )}
                  {pageInfo.hasNextPage && (
                    <Link
                      to="/steward/records"
                      search={{ action: search.action, after: pageInfo.endCursor ?? undefined }}
                    >
                      Older records <Icon name="right" />
                    </Link>
                  )}
                </nav>
              )}
            </>
          );
        }}
      </Answered>
    </div>
  );
}

function shortened(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)} …` : text;
}

function actionText(row: Row): string {
  return row.__typename === "BrokenRecord" ? row.said : actions[row.action];
}

const columns: Column<Row>[] = [
  {
    name: "At (UTC)",
    cell: ({ at }) => (
      <time className="mono nowrap" dateTime={at} title={absoluteTime(at)}>
        {at.slice(0, 19).replace("T", " ")}
      </time>
    ),
    text: ({ at }) => at,
  },
  {
    name: "Who",
    cell: (row) =>
      row.__typename === "Record" ? (row.actor?.subject ?? <span className="quiet-text">the server</span>) : "—",
    text: (row) => (row.__typename === "Record" ? (row.actor?.subject ?? "the server") : ""),
  },
  {
    name: "Action",
    cell: (row) => (row.__typename === "BrokenRecord" ? <span className="mono">{row.said}</span> : actionText(row)),
    text: actionText,
  },
  {
    name: "Outcome",
    cell: (row) => {
      if (row.__typename === "BrokenRecord") return <Chip tone="bad">Not as signed</Chip>;
      const [tone, word] = outcomes[row.outcome];
      return <Chip tone={tone}>{word}</Chip>;
    },
    text: (row) => (row.__typename === "BrokenRecord" ? "not as signed" : outcomes[row.outcome][1]),
  },
  {
    name: "What",
    cell: (row) => (
      <>
        {row.__typename === "Record" ? row.reason : `It is not shown: ${faults[row.fault]}`}
        {row.__typename === "Record" && row.detail !== "{}" && (
          <span className="quiet-text block">{shortened(detailText(row.detail))}</span>
        )}
        <span className="mono quiet-text block">{row.resource}</span>
      </>
    ),
    text: (row) =>
      row.__typename === "Record" ? [row.reason, row.detail].filter(Boolean).join(" ") : faults[row.fault],
  },
  {
    name: "Request",
    cell: (row) =>
      row.__typename === "Record" && row.requestId ? (
        <span className="mono quiet-text" title={row.requestId}>
          {row.requestId.slice(0, 8)}
        </span>
      ) : null,
    text: (row) => (row.__typename === "Record" ? row.requestId : ""),
  },
];
