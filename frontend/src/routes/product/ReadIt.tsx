import { type FormEvent, useEffect, useState } from "react";
import { useChange, useIdempotencyKey, useQuery } from "../../api/query";
import { useViewer } from "../../api/session";
import {
  DecideDocument,
  type DecisionViewFragment,
  GetCredentialsDocument,
  type GetCredentialsMutation,
  type ProductQuery,
  type PurposeCode,
  RequestAccessDocument,
  type TableViewFragment,
} from "../../gen/graphql";
import { remember, remembered } from "../../lib/storage";
import { title, words } from "../../lib/text";
import { dayOf } from "../../lib/time";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { Snippet } from "../../ui/Copy";
import { DecisionLines, lift } from "../../ui/DecisionLines";
import { Field } from "../../ui/Field";
import { ProseField } from "../../ui/inputs";
import { Failure, Note } from "../../ui/states";
import { Message, Time } from "../../ui/Time";
import { WithdrawButton } from "../access/WithdrawButton";
import type { Found } from "./Product";
import { type Client, clientsOf, program, settings } from "./snippets";

const purposes: readonly PurposeCode[] = [
  "ANALYTICS",
  "REPORTING",
  "OPERATIONS",
  "MACHINE_LEARNING",
  "COMPLIANCE",
  "SUPPORT",
];

type TableView = NonNullable<TableViewFragment["table"]>;

interface Props {
  data: ProductQuery;
  product: Found;
  table: TableView | undefined;
  decision: DecisionViewFragment | undefined;
}

/** Read it now, or ask, or see what waits. */
export function ReadIt({ data, product, table, decision }: Props) {
  const viewer = useViewer();
  const mine = <Row extends { product: { id: string } | null }>(row: Row) => row.product?.id === product.id;
  const pending = data.accessRequests.nodes.filter(
    (request) => mine(request) && request.requester.id === viewer?.principal.id,
  );
  const canAsk = product.access !== "KNOW" && table !== undefined;
  const refusedGrant = decision?.lines.some(({ check, outcome }) => check === "GRANT" && outcome === "FAILS");
  return (
    <section className="block read-it" aria-labelledby="read-it">
      <h2 id="read-it">Read it now</h2>
      {product.access === "READ" && table && decision && <Gate table={table} decision={decision} />}
      {pending.map((request) => (
        <Pending key={request.id} request={request} />
      ))}
      {product.access === "KNOW" && (
        <Note tone="info">
          <p>
            You may know of this product, but not ask for it. Ask an owner of {product.domain.path} for a role there.
          </p>
        </Note>
      )}
      {canAsk &&
        pending.length === 0 &&
        (product.access === "REQUEST" ? (
          <Ask table={table} />
        ) : (
          refusedGrant && (
            <details className="more">
              <summary>Ask for access</summary>
              <Ask table={table} />
            </details>
          )
        ))}
      {!table && product.access !== "KNOW" && product.tables.length === 0 && (
        <p className="quiet-text">There is no table to read.</p>
      )}
      {decision && product.access !== "READ" && <Lines decision={decision} />}
    </section>
  );
}

function Gate({ table, decision: first }: { table: TableView; decision: DecisionViewFragment }) {
  const choices = first.lines.some(({ code }) => code === "GRANT_PURPOSE_NEEDED" || code === "GRANT_OTHER_PURPOSE");
  const [purpose, setPurpose] = useState<PurposeCode>();
  const again = useQuery(DecideDocument, { table: table.address, purpose }, purpose !== undefined);
  const decision = (purpose && again.data?.why) || first;
  const served = decision.served;
  const shut = decision.lines.filter(({ outcome }) => outcome === "FAILS");
  return (
    <>
      <p className="facts">
        <Chip tone={decision.allowed ? "good" : "bad"} icon={decision.allowed ? "open" : "lock"}>
          {decision.allowed ? "The gate is open" : "The gate is shut"}
        </Chip>
        {served && (
          <span>
            serves <span className="mono">{served.key}</span>
            {served.committedAt && (
              <>
                {" "}
                from <Time at={served.committedAt} />
              </>
            )}
          </span>
        )}
      </p>
      {shut.map((line) => (
        <Note key={line.check} tone="bad">
          <p>
            <strong>{title(line.check)}:</strong> <Message text={line.message} />
          </p>
          {lift(line) && <p>{lift(line)}</p>}
        </Note>
      ))}
      {decision.retryAt && (
        <p>
          It may open <Time at={decision.retryAt} />.
        </p>
      )}
      {choices && (
        <Field label="Purpose that you read for">
          {(aria) => (
            <select
              {...aria}
              value={purpose ?? ""}
              onChange={(event) => setPurpose((event.currentTarget.value || undefined) as PurposeCode | undefined)}
            >
              <option value="">Choose a purpose</option>
              {purposes.map((code) => (
                <option key={code} value={code}>
                  {title(code)}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {decision.allowed && <Use table={table} purpose={purpose} />}
      <Lines decision={decision} />
    </>
  );
}

type Vended = Extract<
  GetCredentialsMutation["vendCredentials"],
  { __typename: "VendCredentialsPayload" }
>["credentials"];

/** The program for the client chosen last, and credentials behind one click: shown once, hidden after a minute. */
function Use({ table, purpose }: { table: TableView; purpose: PurposeCode | undefined }) {
  const clients = clientsOf(table.format);
  const [client, setClient] = useState<Client>(() => clients.find((name) => name === remembered("client")) ?? "polars");
  const vend = useChange(GetCredentialsDocument);
  const [secrets, setSecrets] = useState<Vended>();
  const [refused, setRefused] = useState<DecisionViewFragment>();
  useEffect(() => {
    if (!secrets) return;
    const timer = setTimeout(() => {
      setSecrets(undefined);
      announce("The credentials are hidden. Copied ones work until their end.");
    }, 60_000);
    return () => clearTimeout(timer);
  }, [secrets]);
  const get = async () => {
    setRefused(undefined);
    const answer = await vend.run({ input: { address: table.address, action: "READ", purpose } });
    if (answer?.vendCredentials.__typename === "VendCredentialsPayload") {
      setSecrets(answer.vendCredentials.credentials);
      announce("Credentials are shown for one minute");
    } else if (answer) setRefused(answer.vendCredentials.decision);
  };
  return (
    <>
      <Field label="Client">
        {(aria) => (
          <select
            {...aria}
            value={client}
            onChange={(event) => {
              const next = event.currentTarget.value as Client;
              remember("client", next);
              setClient(next);
            }}
          >
            {clients.map((name) => (
              <option key={name} value={name}>
                {name === "shell" ? "Shell, with the command charter" : `Python, ${name}`}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Snippet text={program(client, table.format, table.address)} what="program" />
      {vend.error && <Failure what="No credentials." error={vend.error} />}
      {refused && (
        <Note tone="bad">
          <p>The gate has shut meanwhile:</p>
          <Lines decision={refused} open />
        </Note>
      )}
      {secrets ? (
        <div className="secrets">
          <p>
            Run this first. It opens this table alone and ends <Time at={secrets.expiresAt} />.
          </p>
          <Snippet text={settings(client, secrets)} what="credentials" />
          <Button onClick={() => setSecrets(undefined)}>Hide</Button>
        </div>
      ) : (
        <>
          <Button look="primary" icon="key" busy={vend.running} onClick={get}>
            Get credentials
          </Button>
          <p className="hint">For this table and snapshot alone, for an hour at most. They are shown once.</p>
        </>
      )}
    </>
  );
}

function Ask({ table }: { table: TableView }) {
  const viewer = useViewer();
  const ask = useChange(RequestAccessDocument);
  const [purpose, setPurpose] = useState<PurposeCode>("ANALYTICS");
  const [sentence, setSentence] = useState("");
  const [until, setUntil] = useState(() => dayOf(new Date(Date.now() + 90 * 86_400_000).toISOString()));
  const [missing, setMissing] = useState<string>();
  const only = viewer?.purpose ?? undefined;
  const input = {
    address: table.address,
    purpose: only ?? purpose,
    sentence: sentence.trim(),
    until: until ? `${until}T23:59:59Z` : null,
  };
  const key = useIdempotencyKey(input);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (ask.running) return;
    if (sentence.trim() === "") {
      setMissing("Say in a sentence what you need the data for: the owners decide by it.");
      return;
    }
    setMissing(undefined);
    const sent = await ask.run({ input: { ...input, idempotencyKey: key } });
    if (sent) announce("The request is sent");
  };
  const days = (n: number) => dayOf(new Date(Date.now() + n * 86_400_000).toISOString());
  return (
    <form className="ask" onSubmit={send} noValidate>
      <p>
        Ask for <span className="mono">{table.address}</span>. An owner of the domain answers.
      </p>
      <ProseField label="What for" error={missing} value={sentence} onChange={setSentence} rows={2} />
      <div className="pair">
        <Field label="Purpose" hint={only && `Your session is for ${words(only)} only.`}>
          {(aria) => (
            <select
              {...aria}
              value={only ?? purpose}
              disabled={only !== undefined}
              onChange={(event) => setPurpose(event.currentTarget.value as PurposeCode)}
            >
              {purposes.map((code) => (
                <option key={code} value={code}>
                  {title(code)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Until">
          {(aria) => (
            <input
              {...aria}
              type="date"
              value={until}
              min={days(1)}
              max={days(365)}
              onInput={(event) => setUntil(event.currentTarget.value)}
            />
          )}
        </Field>
      </div>
      {ask.error && <Failure what="The request was not sent." error={ask.error} />}
      <Button look="primary" type="submit" icon="ask" busy={ask.running}>
        {ask.running ? "Sending …" : "Send request"}
      </Button>
    </form>
  );
}

function Pending({ request }: { request: ProductQuery["accessRequests"]["nodes"][number] }) {
  return (
    <Note tone="info">
      <p>
        <strong>Your request waits</strong> for an owner since <Time at={request.createdAt} />.
      </p>
      <p>
        {title(request.purpose)} on <span className="mono">{request.port}</span> major {request.major}, until{" "}
        <Time at={request.until} day />: <q>{request.sentence}</q>
      </p>
      <WithdrawButton request={request.id} what={`${request.port} major ${request.major}`} />
    </Note>
  );
}

/** The decision, check by check. */
function Lines({ decision, open = false }: { decision: DecisionViewFragment; open?: boolean }) {
  const lines = <DecisionLines decision={decision} caption="Checks of the gate" file="decision" />;
  if (open) return lines;
  return (
    <details className="more">
      <summary>Why: the decision, check by check</summary>
      {lines}
    </details>
  );
}
