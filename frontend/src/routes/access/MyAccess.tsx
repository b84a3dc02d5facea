import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { idempotencyKey, useChange, useQuery } from "../../api/query";
import { MyAccessDocument, type MyAccessQuery, RevokeGrantDocument } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { count } from "../../lib/text";
import { dayOf } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { AskReason } from "../../ui/AskReason";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { CopyAs } from "../../ui/CopyAs";
import { Answered, Day, OnlyNewest, PageHead, Part } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time, useNow } from "../../ui/Time";
import { GrantChip, grantWord, purposeWord, RequestChip, requestWord } from "../../ui/words-access";
import { isMine } from "./access";
import { myEntries, NoticeCard } from "./Notice";
import { WithdrawButton } from "./WithdrawButton";

type Grant = MyAccessQuery["grants"]["nodes"][number];
type Request = MyAccessQuery["accessRequests"]["nodes"][number];

export function MyAccess() {
  const query = useQuery(MyAccessDocument, {});
  useTitle("My access");
  return (
    <div className="page stack">
      <PageHead
        title="My access"
        tools={<CopyAs command="charter access grants" operation={MyAccessDocument} variables={{}} />}
      >
        What you and your service accounts may read, until when, and what you asked for.
      </PageHead>
      <Answered query={query} what="your access">
        {(data) => <Loaded data={data} />}
      </Answered>
    </div>
  );
}

function Loaded({ data }: { data: MyAccessQuery }) {
  const now = useNow();
  const viewer = data.viewer.principal;
  const grants = data.grants.nodes.filter(({ principal }) => isMine(principal, viewer));
  const open = grants.filter(({ state }) => state === "ACTIVE" || state === "UPCOMING");
  const past = grants.filter(({ state }) => state === "ENDED" || state === "REVOKED");
  const requests = data.accessRequests.nodes.filter(({ requester }) => isMine(requester, viewer));
  const notices = data.notices.nodes.filter((notice) => myEntries(notice, viewer).length > 0);
  const lastUse = new Map<string, string>();
  for (const { grant, issuedAt } of data.leases.nodes) {
    if (grant && !lastUse.has(grant.id)) lastUse.set(grant.id, issuedAt);
  }
  const allLeases = !data.leases.pageInfo.hasNextPage;
  const retires = (grant: Grant) =>
    notices.find(
      ({ product, ports, closedAt }) =>
        !closedAt &&
        product?.id === grant.product?.id &&
        ports.some(({ name, major }) => name === grant.port && major === grant.major),
    );

  const what: Column<Grant | Request> = {
    name: "Data",
    cell: (row) => (
      <>
        {row.product ? (
          <Link to="/products/$" params={{ _splat: productSplat(row.product) }}>
            {row.product.title ?? row.product.name}
          </Link>
        ) : (
          "A product that you may not see any more"
        )}
        <br />
        <span className="mono quiet-text">
          {row.port} v{row.major}
        </span>
      </>
    ),
    text: (row) => `${row.product ? addressOf(row.product) : ""} ${row.port} v${row.major}`.trim(),
  };
  const services = grants.some(({ principal }) => principal.id !== viewer.id);
  const holder: Column<Grant> = {
    name: "Holder",
    cell: ({ principal }) => principal.subject,
    text: ({ principal }) => principal.subject,
  };
  const purpose: Column<Grant | Request> = {
    name: "Purpose",
    cell: (row) => (
      <>
        {purposeWord(row.purpose)}
        <br />
        <span className="quiet-text">{row.sentence}</span>
      </>
    ),
    text: (row) => `${purposeWord(row.purpose)}: ${row.sentence}`,
  };
  const used: Column<Grant> = {
    name: "Last use",
    cell: (grant) => {
      const at = lastUse.get(grant.id);
      if (at) return <Time at={at} />;
      if (!allLeases) return <span className="quiet-text">Not lately</span>;
      return <Chip tone="warn">Never used</Chip>;
    },
    text: (grant) => lastUse.get(grant.id) ?? (allLeases ? "never" : "not lately"),
  };
  const columns: Column<Grant>[] = [
    what,
    ...(services ? [holder] : []),
    purpose,
    {
      name: "Ends",
      cell: (grant) => {
        const soon = Date.parse(grant.until) - now < 14 * 86_400_000;
        return (
          <>
            <Day at={grant.until} />
            {soon && (
              <>
                {" "}
                <Chip tone="warn" icon="clock">
                  Soon
                </Chip>
              </>
            )}
          </>
        );
      },
      text: ({ until }) => until,
    },
    used,
    {
      name: "State",
      cell: (grant) => {
        const notice = retires(grant);
        return (
          <>
            <GrantChip state={grant.state} />
            {notice && (
              <Chip tone="warn" icon="clock">
                v{grant.major} retires from {dayOf(notice.deadline)}
              </Chip>
            )}
          </>
        );
      },
      text: (grant) => {
        const notice = retires(grant);
        return notice ? `${grantWord(grant.state)}, retires from ${notice.deadline}` : grantWord(grant.state);
      },
    },
    { name: "What to do", cell: (grant) => <GrantTools grant={grant} successor={retires(grant)?.to.major} /> },
  ];
  const never = open.filter(({ id }) => !lastUse.has(id)).length;
  return (
    <>
      <Part
        title="I can read"
        note={open.length > 0 && `${count(open.length, "grant")}${allLeases ? `, ${never} never used` : ""}`}
      >
        <Table
          caption="What I can read"
          columns={columns}
          rows={open}
          rowKey={({ id }) => id}
          file="my-access"
          empty={
            <Empty title="You hold no access now.">
              <p>
                <Link to="/" search={{ access: ["request"] }}>
                  Find products that you may ask for
                </Link>
              </p>
            </Empty>
          }
        />
        <OnlyNewest of={data.grants} n={50} what="grants" />
        <OnlyNewest of={data.leases} n={100} what="leases" />
      </Part>
      {notices.length > 0 && (
        <Part title="Changes that concern me" note={count(notices.length, "notice")}>
          <ul className="card-list">
            {notices.map((notice) => (
              <NoticeCard key={notice.id} notice={notice} viewer={viewer} />
            ))}
          </ul>
        </Part>
      )}
      <Part title="I asked for">
        <Table
          caption="My requests"
          columns={[
            what as Column<Request>,
            purpose as Column<Request>,
            {
              name: "Asked",
              cell: ({ createdAt }) => <Time at={createdAt} />,
              text: ({ createdAt }) => createdAt,
            },
            {
              name: "Answer",
              cell: ({ state, decidedBy, decidedAt, reason }) => (
                <>
                  <RequestChip state={state} />{" "}
                  {decidedAt && (
                    <span className="quiet-text">
                      {decidedBy && `by ${decidedBy.subject} `}
                      <Time at={decidedAt} />
                    </span>
                  )}
                  {reason && (
                    <>
                      <br />
                      <q>{reason}</q>
                    </>
                  )}
                </>
              ),
              text: ({ state, reason }) => (reason ? `${requestWord(state)}: ${reason}` : requestWord(state)),
            },
            {
              name: "What to do",
              cell: (request) =>
                request.state === "PENDING" ? (
                  <span className="row-tools">
                    <WithdrawButton request={request.id} what={request.product?.title ?? request.port} />
                  </span>
                ) : request.state === "REJECTED" && request.product ? (
                  <AskAgain of={request} word="Ask again" />
                ) : null,
            },
          ]}
          rows={requests}
          rowKey={({ id }) => id}
          file="my-requests"
          empty={<Empty title="You asked for nothing yet." />}
        />
        <OnlyNewest of={data.accessRequests} n={50} what="requests" />
      </Part>
      {past.length > 0 && (
        <Part title="I could read">
          <Table
            caption="What I could read"
            columns={[
              what as Column<Grant>,
              purpose as Column<Grant>,
              { name: "Ended", cell: ({ until }) => <Time at={until} />, text: ({ until }) => until },
              {
                name: "How",
                cell: ({ state, reason }) => (
                  <>
                    <GrantChip state={state} />
                    {reason && <q>{reason}</q>}
                  </>
                ),
                text: ({ state, reason }) => [grantWord(state), reason].filter(Boolean).join(": "),
              },
              { name: "What to do", cell: (grant) => grant.product && <AskAgain of={grant} word="Ask again" /> },
            ]}
            rows={past}
            rowKey={({ id }) => id}
            file="my-past-access"
          />
        </Part>
      )}
    </>
  );
}

function AskAgain({ of, word, major }: { of: Grant | Request; word: string; major?: number }) {
  if (!of.product) return null;
  return (
    <Link
      to="/ask"
      className="button"
      search={{
        product: addressOf(of.product),
        port: of.port,
        major: String(major ?? of.major),
        purpose: of.purpose.toLowerCase(),
        sentence: of.sentence,
      }}
      aria-label={`${word}: ${of.product.title ?? of.product.name} v${of.major}`}
    >
      {word}
    </Link>
  );
}

function GrantTools({ grant, successor }: { grant: Grant; successor?: number }) {
  const change = useChange(RevokeGrantDocument);
  const [open, setOpen] = useState(false);
  const name = `${grant.product?.title ?? grant.port} v${grant.major}`;
  return (
    <span className="row-tools">
      <AskAgain of={grant} word={successor ? `Ask for v${successor}` : "Renew"} major={successor} />
      <Button look="quiet" aria-label={`Give up ${name}`} onClick={() => setOpen(true)}>
        Give up
      </Button>
      <AskReason
        title={`Give up ${name}`}
        open={open}
        onClose={() => setOpen(false)}
        verb="Give up"
        busy={change.running}
        error={change.error}
        act={async (reason) => {
          const done = await change.run({ input: { grant: grant.id, reason, idempotencyKey: idempotencyKey() } });
          if (done) announce("The grant and its leases have ended");
          return done !== undefined;
        }}
      >
        <p>The grant ends at once, and with it every lease under it. To read the data again, ask again.</p>
      </AskReason>
    </span>
  );
}
