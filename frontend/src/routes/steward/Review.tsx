import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { send } from "../../api/client";
import { ApiError } from "../../api/error";
import { forgetAnswers, idempotencyKey, useQuery } from "../../api/query";
import { hasRole } from "../../api/session";
import { type GrantReviewedFragment, ReviewDocument, type ReviewQuery, RevokeGrantDocument } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { count } from "../../lib/text";
import { useTitle } from "../../shell/Shell";
import { AskReason } from "../../ui/AskReason";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { CopyAs } from "../../ui/CopyAs";
import { Field } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { Answered, Day, OnlyNewest, PageHead } from "../../ui/Page";
import { Empty, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time, useNow } from "../../ui/Time";
import { GrantChip, grantWord, purposeWord } from "../../ui/words-access";
import { StewardNav } from "./StewardNav";
import { type Group, groups, hasWords, inGroup, lastUses, settled_days, soon_days } from "./steward";

const route = getRouteApi("/steward");

type Grant = GrantReviewedFragment;

const labels: Record<Group, string> = {
  open: "All open",
  ending: `End within ${soon_days} days`,
  unused: `Older than ${settled_days} days, never used`,
};

/** Grants with their use, by group, and the end of those that are not needed. */
export function Review() {
  const { after } = route.useSearch();
  const variables = { after: after ?? null };
  const query = useQuery(ReviewDocument, variables);
  useTitle("Grants");
  return (
    <div className="page stack">
      <PageHead
        title="Grants"
        tools={<CopyAs command="charter access grants" operation={ReviewDocument} variables={variables} />}
      >
        Who may read what, for which purpose, until when, and whether they do.
      </PageHead>
      <StewardNav />
      <Answered query={query} what="the grants">
        {(data) => <Loaded data={data} />}
      </Answered>
    </div>
  );
}

function Loaded({ data }: { data: ReviewQuery }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState(false);
  const group = groups.find((name) => name === search.group) ?? "open";
  const lastUse = lastUses(data.leases.nodes);
  const allLeases = !data.leases.pageInfo.hasNextPage;
  const found = data.grants.nodes.filter((grant) => !search.q || hasWords(grant, search.q));
  const rows = found.filter((grant) => inGroup(grant, group, lastUse, now));
  const chosen = rows.filter(({ id }) => picked.has(id));
  const toEnd = chosen.length > 0 ? chosen : rows;
  const revokes = (grant: Grant) => hasRole(data.viewer, ["OWNER", "STEWARD"], grant.product?.domain.path);
  const { pageInfo } = data.grants;

  const columns: Column<Grant>[] = [
    {
      name: "Holder",
      cell: ({ principal }) => (
        <>
          {principal.subject}
          {principal.owner && <span className="quiet-text"> (service of {principal.owner.subject})</span>}
          {!principal.enabled && (
            <>
              {" "}
              <Chip tone="warn">Disabled</Chip>
            </>
          )}
        </>
      ),
      text: ({ principal }) => principal.subject,
    },
    {
      name: "Choose",
      cell: (grant) =>
        revokes(grant) && (
          <label className="check">
            <input
              type="checkbox"
              aria-label={`Choose the grant of ${grant.principal.subject} on ${grant.product ? addressOf(grant.product) : grant.port} v${grant.major} for ${purposeWord(grant.purpose)}`}
              checked={picked.has(grant.id)}
              onChange={() => {
                const next = new Set(picked);
                if (!next.delete(grant.id)) next.add(grant.id);
                setPicked(next);
              }}
            />
          </label>
        ),
    },
    {
      name: "Data",
      cell: ({ product, port, major }) => (
        <>
          {product ? (
            <Link to="/products/$" params={{ _splat: productSplat(product) }}>
              {addressOf(product)}
            </Link>
          ) : (
            "—"
          )}{" "}
          <span className="mono quiet-text">
            {port} v{major}
          </span>
        </>
      ),
      text: ({ product, port, major }) => `${product ? addressOf(product) : ""} ${port} v${major}`.trim(),
    },
    {
      name: "Purpose",
      cell: ({ purpose, sentence }) => (
        <>
          {purposeWord(purpose)}
          <span className="quiet-text block">{sentence}</span>
        </>
      ),
      text: ({ purpose, sentence }) => `${purposeWord(purpose)}: ${sentence}`,
    },
    {
      name: "Given",
      cell: ({ grantedBy, grantedAt }) => (
        <>
          <Time at={grantedAt} /> <span className="quiet-text">by {grantedBy.subject}</span>
        </>
      ),
      text: ({ grantedAt }) => grantedAt,
    },
    { name: "Ends", cell: ({ until }) => <Day at={until} />, text: ({ until }) => until },
    {
      name: "Last use",
      cell: ({ id }) => {
        const at = lastUse.get(id);
        if (at) return <Time at={at} />;
        return allLeases ? <Chip tone="warn">Never used</Chip> : <span className="quiet-text">Not lately</span>;
      },
      text: ({ id }) => lastUse.get(id) ?? (allLeases ? "never" : "not lately"),
    },
    { name: "State", cell: ({ state }) => <GrantChip state={state} />, text: ({ state }) => grantWord(state) },
  ];
  return (
    <>
      <div className="fields">
        <fieldset>
          <legend className="quiet-text">Group</legend>
          <div className="row-tools">
            {groups.map((name) => (
              <label key={name} className="check">
                <input
                  type="radio"
                  name="group"
                  checked={group === name}
                  onChange={() => {
                    setPicked(new Set());
                    void navigate({ search: { ...search, group: name === "open" ? undefined : name }, replace: true });
                  }}
                />
                {labels[name]} ({found.filter((grant) => inGroup(grant, name, lastUse, now)).length})
              </label>
            ))}
          </div>
        </fieldset>
        <Field label="With the words">
          {(aria) => (
            <input
              {...aria}
              type="search"
              autoComplete="off"
              maxLength={200}
              value={search.q ?? ""}
              onInput={(event) => {
                setPicked(new Set());
                void navigate({ search: { ...search, q: event.currentTarget.value || undefined }, replace: true });
              }}
            />
          )}
        </Field>
      </div>
      {group === "unused" && !allLeases && (
        <Note tone="warn">
          <p>
            Only the newest 200 leases are looked at here. <Link to="/steward/rot">Neglected</Link> lists the grants of
            which the server knows that they were never used.
          </p>
        </Note>
      )}
      {rows.length > 0 && toEnd.every(revokes) && (
        <div className="row-tools">
          <Button look="danger" onClick={() => setAsking(true)}>
            Revoke {chosen.length > 0 ? count(chosen.length, "chosen grant") : `${count(rows.length, "grant")} shown`}
          </Button>
        </div>
      )}
      <Table
        caption="Grants"
        columns={columns}
        rows={rows}
        rowKey={({ id }) => id}
        file="grants"
        empty={
          <Empty title="No grant here.">
            {(group !== "open" || search.q) && (
              <p>
                <Link to="/steward" search={{}}>
                  Show all open grants
                </Link>
              </p>
            )}
          </Empty>
        }
      />
      {(search.after || pageInfo.hasNextPage) && (
        <nav className="row-tools" aria-label="Pages of grants">
          {search.after && (
            <Link to="/steward" search={{ ...search, after: undefined }}>
              <Icon name="left" /> Newest grants
            </Link>
          )}
          {pageInfo.hasNextPage && (
            <Link to="/steward" search={{ ...search, after: pageInfo.endCursor ?? undefined }}>
              Older grants <Icon name="right" />
            </Link>
          )}
        </nav>
      )}
      <OnlyNewest of={data.leases} n={200} what="leases" />
      <RevokeAll
        grants={toEnd}
        open={asking}
        onClose={() => {
          setAsking(false);
          setPicked(new Set());
        }}
      />
    </>
  );
}

/** Ends grants one after the other, and says how far it is. */
function RevokeAll({ grants, open, onClose }: { grants: readonly Grant[]; open: boolean; onClose: () => void }) {
  const [progress, setProgress] = useState<{ done: number; of: number }>();
  const [error, setError] = useState<ApiError>();
  const revoke = async (reason: string) => {
    setError(undefined);
    let done = 0;
    try {
      for (const { id } of grants) {
        setProgress({ done, of: grants.length });
        await send(RevokeGrantDocument, { input: { grant: id, reason, idempotencyKey: idempotencyKey() } });
        done += 1;
      }
      announce(`${count(done, "grant")} revoked`);
      return true;
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError("INTERNAL", String(cause)));
      return false;
    } finally {
      setProgress(undefined);
      forgetAnswers();
    }
  };
  return (
    <AskReason
      title={`Revoke ${count(grants.length, "grant")}`}
      open={open}
      onClose={onClose}
      verb={progress ? `Revoking ${progress.done + 1} of ${progress.of} …` : "Revoke"}
      busy={progress !== undefined}
      error={error}
      act={revoke}
    >
      <p>They end at once, with every lease under them. The holders can ask again.</p>
      <ul className="plain-list">
        {grants.slice(0, 10).map(({ id, principal, product, port, major }) => (
          <li key={id}>
            {principal.subject} on{" "}
            <span className="mono">
              {product ? addressOf(product) : port} v{major}
            </span>
          </li>
        ))}
        {grants.length > 10 && <li>and {grants.length - 10} more</li>}
      </ul>
    </AskReason>
  );
}
