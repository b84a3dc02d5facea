import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { idempotencyKey, useChange } from "../../api/query";
import { AnswerNoticeDocument, type NoticeReply, type NoticeSeenFragment, type WhoFragment } from "../../gen/graphql";
import { productSplat } from "../../lib/paths";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { ProseField } from "../../ui/inputs";
import { Day } from "../../ui/Page";
import { Failure } from "../../ui/states";
import { Time, useNow } from "../../ui/Time";
import { ReplyChip } from "../../ui/words-access";
import { dayAfter, endOfDay, isMine } from "./access";

type Affected = NoticeSeenFragment["consumers"]["nodes"][number];

/** What a notice means for the viewer and their service accounts: one entry for each, with the latest answer. */
export function myEntries(notice: NoticeSeenFragment, viewer: { id: string }): Affected[] {
  const seen = new Set<string>();
  return notice.consumers.nodes.filter(({ grant: { principal } }) => {
    if (!isMine(principal, viewer) || seen.has(principal.id)) return false;
    seen.add(principal.id);
    return true;
  });
}

/** Notices that are open and have no answer of the viewer yet. */
export function unanswered(notices: readonly NoticeSeenFragment[], viewer: { id: string }): NoticeSeenFragment[] {
  return notices.filter(
    (notice) => !notice.closedAt && myEntries(notice, viewer).some(({ answer }) => answer === null),
  );
}

/** A notice of a breaking successor: what ends when, what to do, and the viewer's answer. */
export function NoticeCard({ notice, viewer }: { notice: NoticeSeenFragment; viewer: { id: string } }) {
  const name = notice.product?.title ?? notice.product?.name ?? "A product";
  return (
    <li className="card">
      <div className="card-head">
        <h3>
          {notice.product ? (
            <Link to="/products/$" params={{ _splat: productSplat(notice.product) }}>
              {name}
            </Link>
          ) : (
            name
          )}{" "}
          {notice.from.version} gives way to {notice.to.version}
        </h3>
        <Chip tone={notice.closedAt ? "plain" : "warn"} icon="clock">
          {notice.closedAt ? "Closed" : "Open"}
        </Chip>
      </div>
      <dl className="pairs">
        <dt>Served at least until</dt>
        <dd>
          <Day at={notice.deadline} />
        </dd>
        <dt>What to do</dt>
        <dd>{notice.migrationNote ?? "The owner left no note. Ask them before you move."}</dd>
      </dl>
      {myEntries(notice, viewer).map((entry) => (
        <MyAnswer key={entry.grant.id} notice={notice} entry={entry} viewer={viewer} name={name} />
      ))}
    </li>
  );
}

function MyAnswer({
  notice,
  entry: { grant, columns, answer },
  viewer,
  name,
}: {
  notice: NoticeSeenFragment;
  entry: Affected;
  viewer: { id: string };
  name: string;
}) {
  const now = useNow();
  const change = useChange(AnswerNoticeDocument);
  const [asking, setAsking] = useState<NoticeReply>();
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState(() => dayAfter(Math.max(now, Date.parse(notice.deadline)), 30));
  const [tried, setTried] = useState(false);
  const mine = grant.principal.id === viewer.id;
  const whose = mine ? "You" : grant.principal.subject;
  const late = until <= notice.deadline.slice(0, 10);

  const send = async (reply: NoticeReply) => {
    const done = await change.run({
      input: {
        notice: notice.id,
        consumer: mine ? undefined : grant.principal.id,
        reply,
        until: reply === "NEEDS_TIME" ? endOfDay(until) : undefined,
        reason: reason.trim() || undefined,
        idempotencyKey: idempotencyKey(),
      },
    });
    if (!done) return;
    announce(
      done.answerNotice.__typename === "NoticeClosed" ? "The notice is closed meanwhile" : "The answer is recorded",
    );
    setAsking(undefined);
  };
  const ask = (reply: NoticeReply) => {
    change.reset();
    setTried(false);
    setAsking(reply);
  };
  return (
    <div className="part">
      <p>
        {columns && columns.length > 0 ? (
          <>
            {whose} read {columns.length === 1 ? "a column" : "columns"} that the successor breaks:{" "}
            <span className="mono">{columns.join(", ")}</span>.
          </>
        ) : columns ? (
          <>{whose} read none of the columns that the successor breaks.</>
        ) : (
          <>Which columns {mine ? "you read" : `${whose} reads`} is not known.</>
        )}
      </p>
      {answer && (
        <p>
          {whose} answered <ReplyChip reply={answer.reply} /> <Time at={answer.at} />
          {answer.until && (
            <>
              , until <Time at={answer.until} />
            </>
          )}
          {answer.reason && (
            <>
              : <q>{answer.reason}</q>
            </>
          )}
        </p>
      )}
      {change.error && !asking && <Failure what="The answer was not recorded." error={change.error} />}
      {!notice.closedAt && (
        <div className="row-tools">
          {answer?.reply !== "ACKNOWLEDGED" && (
            <Button
              look={answer ? "plain" : "primary"}
              busy={change.running}
              aria-label={`${mine ? "I move" : `${whose} moves`} in time: ${name}`}
              onClick={() => void send("ACKNOWLEDGED")}
            >
              {mine ? "I move in time" : `${whose} moves in time`}
            </Button>
          )}
          <Button aria-label={`Ask for more time: ${name}`} onClick={() => ask("NEEDS_TIME")}>
            Ask for more time
          </Button>
          <Button aria-label={`Object: ${name}`} onClick={() => ask("OBJECTS")}>
            Object
          </Button>
        </div>
      )}
      <Dialog
        title={asking === "OBJECTS" ? "Object to the change" : "Ask for more time"}
        open={asking !== undefined}
        onClose={() => setAsking(undefined)}
        footer={
          <>
            <Button onClick={() => setAsking(undefined)}>Cancel</Button>
            <Button
              look="primary"
              busy={change.running}
              onClick={() => {
                setTried(true);
                if (asking && reason.trim() !== "" && !(asking === "NEEDS_TIME" && late)) void send(asking);
              }}
            >
              Send the answer
            </Button>
          </>
        }
      >
        {change.error && <Failure what="The answer was not recorded." error={change.error} />}
        {asking === "NEEDS_TIME" && (
          <Field
            label="Until the end of"
            error={tried && late ? "Give a day after the one until which it is served anyway" : undefined}
          >
            {(aria) => (
              <input {...aria} type="date" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
            )}
          </Field>
        )}
        <ProseField
          label="Reason"
          error={tried && reason.trim() === "" ? "Give a reason" : undefined}
          value={reason}
          onChange={setReason}
          first
        />
      </Dialog>
    </div>
  );
}

/** A principal's name; for a service account also whose it is. */
export function Who({ who }: { who: WhoFragment }) {
  return (
    <>
      <strong>{who.subject}</strong>
      {who.owner && <span className="quiet-text"> (service of {who.owner.subject})</span>}
    </>
  );
}
