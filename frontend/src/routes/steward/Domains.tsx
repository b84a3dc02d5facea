import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { idempotencyKey, useChange, useQuery } from "../../api/query";
import { hasRole } from "../../api/session";
import { DomainsDocument, type DomainsQuery, type Enforcement, SetEnforcementDocument } from "../../gen/graphql";
import { dayOf } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip, type Tone } from "../../ui/Chip";
import { CopyAs } from "../../ui/CopyAs";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { Answered, Day, PageHead } from "../../ui/Page";
import { Empty, Failure } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { useNow } from "../../ui/Time";
import { dayAfter } from "../access/access";
import { StewardNav } from "./StewardNav";

const route = getRouteApi("/steward/domains");

type Domain = DomainsQuery["domains"]["nodes"][number];

const enforcements: Record<Enforcement, readonly [Tone, string, string]> = {
  ON: ["good", "Bind", "Contracts bind: data that breaks them is refused."],
  REPORT: ["warn", "Report", "Contracts are judged and recorded, and refuse nothing."],
  OFF: ["bad", "Off", "Conformance and quality are not judged."],
};

/** How far the contracts of each domain bind, and from which day they will. */
export function Domains() {
  const { after } = route.useSearch();
  const variables = { after: after ?? null };
  const query = useQuery(DomainsDocument, variables);
  useTitle("Enforcement");
  return (
    <div className="page stack">
      <PageHead
        title="Enforcement"
        tools={<CopyAs command="charter domain list" operation={DomainsDocument} variables={variables} />}
      >
        How far the contracts of each domain bind its readers, and from which day they will.
      </PageHead>
      <StewardNav />
      <Answered query={query} what="the domains">
        {(data) => {
          const { nodes, pageInfo } = data.domains;
          return (
            <>
              <Table
                caption="Domains"
                columns={columns(hasRole(data.viewer, ["STEWARD"]))}
                rows={nodes}
                rowKey={({ id }) => id}
                file="domains"
                empty={
                  <Empty title="There is no domain yet.">
                    <p>
                      An admin or steward creates the first: <code>charter domain create</code>
                    </p>
                  </Empty>
                }
              />
              {(after || pageInfo.hasNextPage) && (
                <nav className="row-tools" aria-label="Pages of domains">
                  {after && (
                    <Link to="/steward/domains" search={{}}>
                      <Icon name="left" /> First domains
                    </Link>
                  )}
                  {pageInfo.hasNextPage && (
                    <Link to="/steward/domains" search={{ after: pageInfo.endCursor ?? undefined }}>
                      More domains <Icon name="right" />
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

function columns(steward: boolean): Column<Domain>[] {
  const owners = ({ roles }: Domain) =>
    (roles ?? []).filter(({ role }) => role === "OWNER").map(({ principal }) => principal.subject);
  return [
    { name: "Domain", cell: ({ path }) => <span className="mono">{path}</span>, text: ({ path }) => path },
    {
      name: "Contracts",
      cell: ({ enforcement }) => <Chip tone={enforcements[enforcement][0]}>{enforcements[enforcement][1]}</Chip>,
      text: ({ enforcement }) => enforcements[enforcement][1],
    },
    {
      name: "Bind from",
      cell: ({ enforcement, switchAt }) =>
        switchAt ? (
          <Day at={switchAt} />
        ) : enforcement === "ON" ? (
          <span className="quiet-text">They bind</span>
        ) : (
          <Chip tone="warn">No day set</Chip>
        ),
      text: ({ switchAt }) => switchAt ?? "",
    },
    {
      name: "Owners",
      cell: (domain) =>
        domain.roles === null ? (
          <span className="quiet-text">Not shown to you</span>
        ) : owners(domain).length > 0 ? (
          owners(domain).join(", ")
        ) : (
          <span className="quiet-text">None of its own</span>
        ),
      text: (domain) => owners(domain).join(" "),
    },
    ...(steward ? [{ name: "What to do", cell: (domain: Domain) => <Enforce domain={domain} /> }] : []),
  ];
}

function Enforce({ domain }: { domain: Domain }) {
  const now = useNow();
  const change = useChange(SetEnforcementDocument);
  const [open, setOpen] = useState(false);
  const [enforcement, setEnforcement] = useState(domain.enforcement);
  const [day, setDay] = useState(domain.switchAt ? dayOf(domain.switchAt) : "");
  const [wrong, setWrong] = useState<string>();
  const save = async () => {
    const dated = enforcement !== "ON" && day !== "";
    if (dated && day <= dayAfter(now, 0)) return setWrong("Give a day after today, or let them bind now");
    setWrong(undefined);
    const done = await change.run({
      input: {
        domain: domain.path,
        enforcement,
        switchAt: dated ? `${day}T00:00:00Z` : undefined,
        idempotencyKey: idempotencyKey(),
      },
    });
    if (!done) return;
    announce("Saved");
    setOpen(false);
  };
  return (
    <span className="row-tools">
      <Button
        aria-label={`Change the enforcement of ${domain.path}`}
        onClick={() => {
          setEnforcement(domain.enforcement);
          setDay(domain.switchAt ? dayOf(domain.switchAt) : "");
          change.reset();
          setOpen(true);
        }}
      >
        Change
      </Button>
      <Dialog
        title={`Enforcement of ${domain.path}`}
        open={open}
        onClose={() => setOpen(false)}
        footer={
          <>
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button look="primary" busy={change.running} onClick={() => void save()}>
              Save
            </Button>
          </>
        }
      >
        {change.error && <Failure what="It was not changed." error={change.error} />}
        <fieldset>
          <legend>Contracts</legend>
          {(Object.keys(enforcements) as Enforcement[]).map((code) => (
            <label key={code} className="check">
              <input
                type="radio"
                name={`enforcement-${domain.id}`}
                checked={enforcement === code}
                onChange={() => setEnforcement(code)}
              />
              <span>
                <strong>{enforcements[code][1]}</strong> <span className="quiet-text">{enforcements[code][2]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {enforcement !== "ON" && (
          <Field label="Bind from" hint="The day (UTC) on which they begin to bind; empty for none." error={wrong}>
            {(aria) => (
              <input
                {...aria}
                type="date"
                min={dayAfter(now, 1)}
                value={day}
                onInput={(event) => setDay(event.currentTarget.value)}
              />
            )}
          </Field>
        )}
      </Dialog>
    </span>
  );
}
