import "./inbox.css";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { idempotencyKey, useChange, useQuery } from "../../api/query";
import { hasRole } from "../../api/session";
import {
  ApproveRequestDocument,
  type AskedFragment,
  InboxDocument,
  type InboxQuery,
  RejectRequestDocument,
} from "../../gen/graphql";
import { productSplat } from "../../lib/paths";
import { count } from "../../lib/text";
import { absoluteTime } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { Button } from "../../ui/Button";
import { CopyAs } from "../../ui/CopyAs";
import { Field } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { Answered, Day, PageHead, Part } from "../../ui/Page";
import { Empty, Failure, Note } from "../../ui/states";
import { Time } from "../../ui/Time";
import { ClassificationChip } from "../../ui/words";
import { grantWord, purposeWord } from "../../ui/words-access";
import { isMine } from "./access";
import { NoticeCard, unanswered, Who } from "./Notice";
import { columnsRead } from "./use";

const route = getRouteApi("/inbox");

export function Inbox() {
  const { after } = route.useSearch();
  const variables = { after: after ?? null };
  const query = useQuery(InboxDocument, variables);
  const [done, setDone] = useState<string>();
  const head = useRef<HTMLDivElement>(null);
  useTitle("Inbox");
  // The card with the button goes: whoever works by keyboard, or by ear, goes on from here.
  useEffect(() => {
    if (done) head.current?.focus();
  }, [done]);
  return (
    <div className="page stack">
      <PageHead
        title="Inbox"
        tools={<CopyAs command="charter access list --state pending" operation={InboxDocument} variables={variables} />}
      >
        What waits for your answer.
      </PageHead>
      {done && (
        <div ref={head} tabIndex={-1}>
          <Note tone="good">
            <p>{done}</p>
          </Note>
        </div>
      )}
      <Answered query={query} what="your inbox">
        {(data) => <Loaded data={data} after={after} onDone={setDone} />}
      </Answered>
    </div>
  );
}

function Loaded({ data, after, onDone }: { data: InboxQuery; after?: string; onDone: (text: string) => void }) {
  const viewer = data.viewer.principal;
  const others = data.accessRequests.nodes.filter(({ requester }) => !isMine(requester, viewer));
  const decides = (asked: AskedFragment) => hasRole(data.viewer, ["OWNER"], asked.product?.domain.path);
  const mine = others.filter(decides);
  const watched = others.length - mine.length;
  const notices = unanswered(data.notices.nodes, viewer);
  const { pageInfo } = data.accessRequests;
  return (
    <>
      {mine.length === 0 && notices.length === 0 && (
        <Empty title="Nothing waits for you.">
          {watched > 0 && (
            <p>
              {count(watched, "request")} that you may see {watched === 1 ? "waits" : "wait"} for owners of other
              domains.
            </p>
          )}
          <p>
            <Link to="/access">See what you asked for</Link>
          </p>
        </Empty>
      )}
      {mine.length > 0 && (
        <Part title="Requests for access" note={!after && !pageInfo.hasNextPage && mine.length}>
          <ul className="card-list">
            {mine.map((asked) => (
              <RequestCard key={asked.id} asked={asked} data={data} onDone={onDone} />
            ))}
          </ul>
        </Part>
      )}
      {(after || pageInfo.hasNextPage) && (
        <nav className="row-tools" aria-label="Pages of requests">
          {after && (
            <Link to="/inbox" search={{}}>
              <Icon name="left" /> Newest requests
            </Link>
          )}
          {pageInfo.hasNextPage && (
            <Link to="/inbox" search={{ after: pageInfo.endCursor ?? undefined }}>
              Older requests <Icon name="right" />
            </Link>
          )}
        </nav>
      )}
      {notices.length > 0 && (
        <Part title="Changes to answer" note={notices.length}>
          <ul className="card-list">
            {notices.map((notice) => (
              <NoticeCard key={notice.id} notice={notice} viewer={viewer} />
            ))}
          </ul>
        </Part>
      )}
    </>
  );
}

function RequestCard({
  asked,
  data,
  onDone,
}: {
  asked: AskedFragment;
  data: InboxQuery;
  onDone: (text: string) => void;
}) {
  const approve = useChange(ApproveRequestDocument);
  const reject = useChange(RejectRequestDocument);
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const who = asked.requester.subject;
  const name = asked.product?.title ?? asked.product?.name ?? asked.port;
  const busy = approve.running || reject.running;

  const yes = async () => {
    const done = await approve.run({
      input: { request: asked.id, reason: reason.trim() || undefined, idempotencyKey: idempotencyKey() },
    });
    if (!done) return;
    const result = done.approveRequest;
    onDone(
      result.__typename === "RequestNotPending"
        ? `Not done: ${result.message}.`
        : `${who} can read ${name} until ${absoluteTime(result.grant.until)}.`,
    );
  };
  const no = async () => {
    const given = reason.trim();
    setMissing(given === "");
    if (given === "") return;
    const done = await reject.run({ input: { request: asked.id, reason: given, idempotencyKey: idempotencyKey() } });
    if (!done) return;
    const result = done.rejectRequest;
    onDone(
      result.__typename === "RequestNotPending"
        ? `Not done: ${result.message}.`
        : `The request of ${who} for ${name} is rejected.`,
    );
  };
  return (
    <li className="card request">
      <div className="card-head">
        <h3>
          <Who who={asked.requester} /> asks for{" "}
          {asked.product ? (
            <Link to="/products/$" params={{ _splat: productSplat(asked.product) }}>
              {name}
            </Link>
          ) : (
            name
          )}
        </h3>
        <span className="quiet-text">
          <Time at={asked.createdAt} />
        </span>
        {asked.product && <ClassificationChip classification={asked.product.classification} />}
      </div>
      <p className="quote">{asked.sentence}</p>
      <div className="request-facts">
        <dl className="pairs">
          <dt>Purpose</dt>
          <dd>{purposeWord(asked.purpose)}</dd>
          <dt>Data</dt>
          <dd>
            <span className="mono">{asked.port}</span> version {asked.major}
          </dd>
          <dt>Until</dt>
          <dd>
            <Day at={asked.until} />
          </dd>
        </dl>
        <Evidence asked={asked} data={data} />
      </div>
      {(approve.error ?? reject.error) && (
        <Failure
          what="It was not decided."
          error={(approve.error ?? reject.error) as NonNullable<typeof reject.error>}
        />
      )}
      <div className="fields">
        <Field label="Reason" hint={`Needed to reject; ${who} reads it.`} error={missing ? "Give a reason" : undefined}>
          {(aria) => (
            <input
              {...aria}
              type="text"
              maxLength={1000}
              autoComplete="off"
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          )}
        </Field>
        <div className="row-tools decide">
          <Button
            look="primary"
            icon="check"
            busy={busy}
            aria-label={`Approve: ${who}, ${name}`}
            onClick={() => void yes()}
          >
            Approve
          </Button>
          <Button
            look="danger"
            icon="cross"
            busy={busy}
            aria-label={`Reject: ${who}, ${name}`}
            onClick={() => void no()}
          >
            Reject
          </Button>
        </div>
      </div>
    </li>
  );
}

/** What is known of the requester and the data: what they hold, what the gate told them, and what was read so far. */
function Evidence({ asked, data }: { asked: AskedFragment; data: InboxQuery }) {
  const who = asked.requester;
  const product = asked.product;
  const tables = product?.tables.filter(({ major }) => major === asked.major) ?? [];
  const columns = new Set(tables.flatMap(({ head }) => head?.columns?.map(({ name }) => name) ?? []));
  const grants = data.grants.nodes.filter(
    (grant) => grant.principal.id === who.id && grant.product && grant.product.id === product?.id,
  );
  const decision = data.decisions.nodes.find(
    ({ principal, address }) =>
      principal.id === who.id && product && address?.startsWith(`${product.domain.path}.${product.name}.`),
  );
  const use = columnsRead(tables, who.id);
  const shut = decision?.lines.find(({ outcome }) => outcome === "FAILS");
  return (
    <dl className="pairs">
      <dt>Opens</dt>
      <dd>{columns.size > 0 ? count(columns.size, "column") : "Nothing inspected yet"}</dd>
      <dt>Gate said last</dt>
      <dd>
        {decision ? (
          <>
            {decision.allowed ? "Open" : `Shut: ${shut?.message ?? "no reason"}`} <Time at={decision.at} />
          </>
        ) : (
          <span className="quiet-text">{who.subject} has not tried lately</span>
        )}
      </dd>
      <dt>Held before</dt>
      <dd>
        {grants.length === 0 && <span className="quiet-text">No grant lately</span>}
        {grants.slice(0, 3).map((grant) => (
          <span key={grant.id} className="block">
            {grant.port} v{grant.major} for {purposeWord(grant.purpose).toLowerCase()}, by {grant.grantedBy.subject}:{" "}
            {grantWord(grant.state).toLowerCase()}, <Time at={grant.until} />
          </span>
        ))}
      </dd>
      <dt>Read so far</dt>
      <dd>
        {use === undefined ? (
          <span className="quiet-text">Not recorded</span>
        ) : use.length === 0 ? (
          <span className="quiet-text">Nothing in 90 days</span>
        ) : (
          <span className="mono">{use.join(", ")}</span>
        )}
      </dd>
      <dt>Readers</dt>
      <dd>{product ? `${count(product.usage.readers, "person", "people")} in 90 days` : ""}</dd>
    </dl>
  );
}
