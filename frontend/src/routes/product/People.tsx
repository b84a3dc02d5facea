import type { GrantState, NoticeReply, ProductQuery } from "../../gen/graphql";
import { title } from "../../lib/text";
import { Chip, type Tone } from "../../ui/Chip";
import { Empty, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import type { Found } from "./Product";

type Request = ProductQuery["accessRequests"]["nodes"][number];
type Grant = ProductQuery["grants"]["nodes"][number];
type Notice = Found["notices"]["nodes"][number];

/** Requests, grants and notices of the product, as far as the viewer sees them. */
export function People({ data, product }: { data: ProductQuery; product: Found }) {
  const requests = data.accessRequests.nodes.filter((row) => row.product?.id === product.id);
  const grants = data.grants.nodes.filter((row) => row.product?.id === product.id);
  const cut = data.accessRequests.pageInfo.hasNextPage || data.grants.pageInfo.hasNextPage;
  return (
    <section className="block" aria-labelledby="people">
      <h2 id="people">Requests, grants and notices</h2>
      {product.notices.nodes.map((notice) => (
        <NoticeView key={notice.id} notice={notice} />
      ))}
      {requests.length === 0 && grants.length === 0 && product.notices.nodes.length === 0 && (
        <Empty title="Nothing that you may see: no request waits, and you hold no grant here." />
      )}
      {requests.length > 0 && (
        <Table
          caption="Requests that wait"
          showCaption
          columns={requestColumns}
          rows={requests}
          rowKey={({ id }) => id}
          file={`${product.name}-requests`}
        />
      )}
      {grants.length > 0 && (
        <Table
          caption="Grants"
          showCaption
          columns={grantColumns}
          rows={grants}
          rowKey={({ id }) => id}
          file={`${product.name}-grants`}
        />
      )}
      {cut && <p className="quiet-text">Of the newest 50 requests and grants that you may see.</p>}
    </section>
  );
}

const requestColumns: Column<Request>[] = [
  { name: "From", cell: ({ requester }) => requester.subject, text: ({ requester }) => requester.subject },
  { name: "Purpose", short: true, cell: ({ purpose }) => title(purpose), text: ({ purpose }) => title(purpose) },
  { name: "In their words", cell: ({ sentence }) => sentence, text: ({ sentence }) => sentence },
  { name: "Port", short: true, cell: (row) => <span className="mono">{port(row)}</span>, text: port },
  { name: "Asked", short: true, cell: ({ createdAt }) => <Time at={createdAt} />, text: ({ createdAt }) => createdAt },
  { name: "Until", short: true, cell: ({ until }) => <Time at={until} day />, text: ({ until }) => until },
];

const grantStates: Record<GrantState, Tone> = { UPCOMING: "info", ACTIVE: "good", ENDED: "plain", REVOKED: "bad" };

const grantColumns: Column<Grant>[] = [
  { name: "Who", cell: ({ principal }) => principal.subject, text: ({ principal }) => principal.subject },
  {
    name: "State",
    short: true,
    cell: ({ state }) => <Chip tone={grantStates[state]}>{title(state)}</Chip>,
    text: ({ state }) => title(state),
  },
  { name: "Purpose", short: true, cell: ({ purpose }) => title(purpose), text: ({ purpose }) => title(purpose) },
  { name: "In their words", cell: ({ sentence }) => sentence, text: ({ sentence }) => sentence },
  { name: "Port", short: true, cell: (row) => <span className="mono">{port(row)}</span>, text: port },
  { name: "Until", short: true, cell: ({ until }) => <Time at={until} day />, text: ({ until }) => until },
];

function port(row: { port: string; major: number }): string {
  return `${row.port} ${row.major}`;
}

const replies: Record<NoticeReply, readonly [Tone, string]> = {
  ACKNOWLEDGED: ["good", "Will move in time"],
  NEEDS_TIME: ["warn", "Needs more time"],
  OBJECTS: ["bad", "Objects"],
};

function NoticeView({ notice }: { notice: Notice }) {
  const consumers = notice.consumers.nodes;
  return (
    <Note tone={notice.closedAt ? "info" : "warn"}>
      <p>
        <strong>
          {notice.from.version} is followed by {notice.to.version}, which breaks its readers.
        </strong>{" "}
        {notice.closedAt ? (
          <>
            Closed <Time at={notice.closedAt} />.
          </>
        ) : (
          <>
            The old major is served until <Time at={notice.deadline} day /> at least.
          </>
        )}
      </p>
      {notice.migrationNote && <p>What to do: {notice.migrationNote}</p>}
      {consumers.length > 0 && (
        <ul className="plain-list">
          {consumers.map(({ grant, columns, answer }) => (
            <li key={grant.principal.subject}>
              <strong>{grant.principal.subject}</strong>{" "}
              {answer ? (
                <Chip tone={replies[answer.reply][0]}>{replies[answer.reply][1]}</Chip>
              ) : (
                <Chip tone="plain">No answer yet</Chip>
              )}{" "}
              <span className="quiet-text">
                {columns === null
                  ? "which of the broken columns they read is not known"
                  : columns.length > 0
                    ? `reads ${columns.join(", ")}`
                    : "reads none of the broken columns"}
                {answer?.reason && `: ${answer.reason}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Note>
  );
}
