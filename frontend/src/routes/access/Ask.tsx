import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useChange, useIdempotencyKey, useQuery } from "../../api/query";
import { AskDocument, type AskQuery, type PurposeCode, RequestAccessDocument } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { absoluteTime } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { Field } from "../../ui/Field";
import { ProseField } from "../../ui/inputs";
import { Answered, PageHead } from "../../ui/Page";
import { Empty, Failure, Note } from "../../ui/states";
import { Time, useNow } from "../../ui/Time";
import { purposes, purposeWord } from "../../ui/words-access";
import {
  askedPort,
  askedProduct,
  askedPurpose,
  dayAfter,
  endOfDay,
  longest_days,
  usual_days,
  wrongEnd,
} from "./access";
import { WithdrawButton } from "./WithdrawButton";

const route = getRouteApi("/ask");

export function Ask() {
  const search = route.useSearch();
  const asked = askedProduct(search);
  const variables = { domain: asked?.domain ?? "", name: asked?.name ?? "" };
  const query = useQuery(AskDocument, variables, asked !== undefined);
  useTitle("Ask for access");
  return (
    <div className="page narrow">
      <PageHead title="Ask for access" />
      {!asked && (
        <Empty title="The link names no product.">
          <p>
            <Link to="/">Find a product</Link>, and ask from there.
          </p>
        </Empty>
      )}
      {asked && (
        <Answered query={query} what="the product">
          {(data) =>
            data.product ? (
              <Form key={data.product.id} data={data} product={data.product} />
            ) : (
              <Empty title={`No product ${asked.domain}.${asked.name} that you may know of.`}>
                <p>Check the address: a domain, a dot, and the name of the product.</p>
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

function Form({ data, product }: { data: AskQuery; product: NonNullable<AskQuery["product"]> }) {
  const search = route.useSearch();
  const now = useNow();
  const change = useChange(RequestAccessDocument);
  const [port, setPort] = useState(() => askedPort(search, product.ports) ?? askedPort({}, product.ports));
  const [purpose, setPurpose] = useState<PurposeCode>(
    () => data.viewer.purpose ?? askedPurpose(search.purpose) ?? "ANALYTICS",
  );
  const [sentence, setSentence] = useState(search.sentence ?? "");
  const [until, setUntil] = useState(() =>
    search.until && !wrongEnd(search.until.slice(0, 10), now) ? search.until.slice(0, 10) : dayAfter(now, usual_days),
  );
  const [tried, setTried] = useState(false);
  const [sent, setSent] = useState<{ id: string; state: string; until: string }>();

  const wrong = {
    sentence: sentence.trim() === "" ? "Say in a sentence what you need it for" : undefined,
    until: wrongEnd(until, now),
  };
  const viewer = data.viewer.principal;
  const covers = (item: { port: string; major: number; purpose: PurposeCode; product?: { id: string } | null }) =>
    item.product?.id === product.id &&
    item.port === port?.name &&
    item.major === port.major &&
    item.purpose === purpose;
  const pending = data.accessRequests.nodes.find((item) => item.requester.id === viewer.id && covers(item));
  const held = data.grants.nodes.find(
    (item) => item.principal.id === viewer.id && item.state === "ACTIVE" && covers(item),
  );
  const at = change.error?.details.field;
  const input = port && {
    product: addressOf(product),
    port: port.name,
    major: port.major,
    purpose,
    sentence: sentence.trim(),
    until: endOfDay(until),
  };

  const key = useIdempotencyKey(input);

  const send = async () => {
    setTried(true);
    if (!input || wrong.sentence || wrong.until) return;
    const done = await change.run({ input: { ...input, idempotencyKey: key } });
    if (!done) return;
    setSent(done.requestAccess.request);
    announce("The request is sent");
  };

  if (sent) {
    return (
      <>
        <Note tone={sent.state === "APPROVED" ? "good" : "info"}>
          {sent.state === "APPROVED" ? (
            <p>
              Approved: you can read {product.title ?? product.name} until {absoluteTime(sent.until)}.
            </p>
          ) : (
            <p>
              Sent. An owner of <span className="mono">{product.domain.path}</span> decides; the answer is under{" "}
              <Link to="/access">My access</Link>.
            </p>
          )}
        </Note>
        <p>
          <Link to="/products/$" params={{ _splat: productSplat(product) }}>
            Back to {product.title ?? product.name}
          </Link>
        </p>
      </>
    );
  }
  return (
    <>
      <p>
        To read{" "}
        <Link to="/products/$" params={{ _splat: productSplat(product) }}>
          {product.title ?? product.name}
        </Link>{" "}
        <span className="mono quiet-text">{addressOf(product)}</span>
      </p>
      {product.ports.length === 0 && (
        <Note tone="warn">
          <p>The product offers nothing to read yet. Ask an owner of its domain when it will.</p>
        </Note>
      )}
      {product.state === "RETIRED" && (
        <Note tone="bad">
          <p>The product is retired: its data is not served any more.</p>
        </Note>
      )}
      {search.purpose && !askedPurpose(search.purpose) && (
        <Note tone="warn">
          <p>
            The link names a purpose that does not exist: <q>{search.purpose}</q>. Choose one below.
          </p>
        </Note>
      )}
      {search.port && !askedPort(search, product.ports) && (
        <Note tone="warn">
          <p>The link names a port or major that the product does not have. Choose one below.</p>
        </Note>
      )}
      {pending && (
        <Note tone="info">
          <p>
            You asked for this <Time at={pending.createdAt} />, and it waits for an owner of{" "}
            <span className="mono">{product.domain.path}</span>.
          </p>
          <WithdrawButton request={pending.id} what={product.title ?? product.name} />
        </Note>
      )}
      {held && (
        <Note tone="good">
          <p>
            You can read this for {purposeWord(purpose).toLowerCase()} already, until {absoluteTime(held.until)}. Ask
            again only to read it longer.
          </p>
        </Note>
      )}
      {change.error && !at && <Failure what="The request was not sent." error={change.error} />}
      {port && (
        <form
          className="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (!change.running) void send();
          }}
        >
          {product.ports.length > 1 && (
            <Field label="What" hint="A port with its major version. The newest serves the longest.">
              {(aria) => (
                <select
                  {...aria}
                  value={`${port.name} ${port.major}`}
                  onChange={(event) =>
                    setPort(product.ports.find((p) => `${p.name} ${p.major}` === event.currentTarget.value))
                  }
                >
                  {product.ports.map((p) => (
                    <option key={`${p.name} ${p.major}`} value={`${p.name} ${p.major}`}>
                      {p.name}, version {p.major}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
          <Field
            label="Purpose"
            hint={data.viewer.purpose ? "Your session is limited to this purpose." : undefined}
            error={at === "purpose" ? change.error?.message : undefined}
          >
            {(aria) => (
              <select
                {...aria}
                value={purpose}
                onChange={(event) => setPurpose(event.currentTarget.value as PurposeCode)}
              >
                {(Object.keys(purposes) as PurposeCode[])
                  .filter((code) => !data.viewer.purpose || code === data.viewer.purpose)
                  .map((code) => (
                    <option key={code} value={code}>
                      {purposes[code]}
                    </option>
                  ))}
              </select>
            )}
          </Field>
          <ProseField
            label="What for"
            hint="The owners decide by this sentence."
            error={(tried ? wrong.sentence : undefined) ?? (at === "sentence" ? change.error?.message : undefined)}
            value={sentence}
            onChange={setSentence}
            rows={2}
          />
          <Field
            label="Until the end of"
            hint={`${usual_days} days if you change nothing, at most ${longest_days}.`}
            error={(tried ? wrong.until : undefined) ?? (at === "until" ? change.error?.message : undefined)}
          >
            {(aria) => (
              <input
                {...aria}
                type="date"
                value={until}
                min={dayAfter(now, 0)}
                max={dayAfter(now, longest_days - 1)}
                onInput={(event) => setUntil(event.currentTarget.value)}
              />
            )}
          </Field>
          <div className="row-tools">
            <Button look="primary" type="submit" busy={change.running}>
              {change.running ? "Sending …" : "Send the request"}
            </Button>
            {input && (
              <CopyAs
                operation={RequestAccessDocument}
                command={[
                  "charter access request",
                  input.product,
                  "--port",
                  input.port,
                  "--major",
                  String(input.major),
                  "--purpose",
                  purpose.toLowerCase(),
                  "--until",
                  until,
                  "--sentence",
                  shellWord(input.sentence || "..."),
                ].join(" ")}
                variables={{ input }}
              />
            )}
          </div>
        </form>
      )}
    </>
  );
}
