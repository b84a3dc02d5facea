import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { idempotencyKey, useChange, useQuery } from "../../api/query";
import { hasRole } from "../../api/session";
import { MajorsDocument, type NoticeOfOwnerFragment, UpdateNoticeDocument } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { count } from "../../lib/text";
import { dayOf } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { CopyAs } from "../../ui/CopyAs";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { ProseField } from "../../ui/inputs";
import { Answered, Day, PageHead, Part } from "../../ui/Page";
import { Empty, Failure, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { purposeWord, ReplyChip, replyWord } from "../../ui/words-access";
import { dayAfter, endOfDay } from "../access/access";
import { TeamNav } from "./TeamNav";

const route = getRouteApi("/team/majors");

type Reader = NoticeOfOwnerFragment["consumers"]["nodes"][number];

/** Majors with a breaking successor: who is left on the old one, and what they say. */
export function Majors() {
  const { after } = route.useSearch();
  const variables = { after: after ?? null };
  const query = useQuery(MajorsDocument, variables);
  useTitle("Majors that retire");
  return (
    <div className="page stack">
      <PageHead
        title="Majors that retire"
        tools={<CopyAs command="charter notice list" operation={MajorsDocument} variables={variables} />}
      >
        Who still reads the old major of a product, which broken columns they read, and what they answered.
      </PageHead>
      <TeamNav />
      <Answered query={query} what="the notices">
        {(data) => {
          const mine = data.notices.nodes.filter(({ product }) =>
            hasRole(data.viewer, ["OWNER", "PUBLISHER", "ADMIN", "STEWARD", "AUDITOR"], product?.domain.path),
          );
          const { pageInfo } = data.notices;
          return (
            <>
              {mine.length === 0 && (
                <Empty title="No major of your domains has a breaking successor.">
                  <p>
                    <Link to="/team/change">Preview a change</Link>
                  </p>
                </Empty>
              )}
              {mine.map((notice) => (
                <OneMajor
                  key={notice.id}
                  notice={notice}
                  owns={hasRole(data.viewer, ["OWNER"], notice.product?.domain.path)}
                />
              ))}
              {(after || pageInfo.hasNextPage) && (
                <nav className="row-tools" aria-label="Pages of notices">
                  {after && (
                    <Link to="/team/majors" search={{}}>
                      <Icon name="left" /> Newest
                    </Link>
                  )}
                  {pageInfo.hasNextPage && (
                    <Link to="/team/majors" search={{ after: pageInfo.endCursor ?? undefined }}>
                      Older <Icon name="right" />
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

function OneMajor({ notice, owns }: { notice: NoticeOfOwnerFragment; owns: boolean }) {
  const [open, setOpen] = useState(false);
  const left = notice.consumers.nodes.filter(({ grant }) => grant.state === "ACTIVE" || grant.state === "UPCOMING");
  const name = notice.product?.title ?? notice.product?.name ?? "A product";
  const title = `${name} ${notice.from.version} gives way to ${notice.to.version}`;
  const against = left.filter(({ answer }) => answer && answer.reply !== "ACKNOWLEDGED").length;
  const silent = left.filter(({ answer }) => !answer).length;
  return (
    <Part
      title={title}
      note={
        notice.product && (
          <Link to="/products/$" params={{ _splat: productSplat(notice.product) }}>
            {addressOf(notice.product)}
          </Link>
        )
      }
    >
      <div className="row-tools">
        {notice.closedAt ? (
          <Chip tone="plain" icon="check">
            Closed
          </Chip>
        ) : (
          <Chip tone={left.length === 0 ? "good" : "warn"} icon="people">
            {left.length === 0 ? "No reader left" : `${count(left.length, "reader")} left`}
          </Chip>
        )}
        {against > 0 && <Chip tone="bad">{against} not in time</Chip>}
        {silent > 0 && <Chip tone="info">{silent} without an answer</Chip>}
        <span>
          Served at least until <Day at={notice.deadline} />
        </span>
        {owns && !notice.closedAt && (
          <Button aria-label={`Change note or day: ${title}`} onClick={() => setOpen(true)}>
            Change note or day
          </Button>
        )}
      </div>
      <p>{notice.migrationNote ?? "No migration note: readers do not know what to do. Write one."}</p>
      <Table
        caption={`Readers of ${name} version ${notice.from.major}`}
        columns={readerColumns}
        rows={notice.consumers.nodes}
        rowKey={({ grant }) => grant.id}
        file="readers-left"
        empty={<Empty title="No grant covered the old major." />}
      />
      {notice.consumers.pageInfo.hasNextPage && (
        <p className="quiet-text">The newest 40 grants; there are older ones.</p>
      )}
      {!notice.closedAt && owns && left.length === 0 && (
        <Note tone="good">
          <p>
            No reader is left: retire version {notice.from.major} by publishing the product without its port, which{" "}
            <Link to="/team/change" search={{ domain: notice.product?.domain.path }}>
              the preview
            </Link>{" "}
            shows first.
          </p>
        </Note>
      )}
      <ChangeNotice notice={notice} open={open} onClose={() => setOpen(false)} />
    </Part>
  );
}

function ChangeNotice({
  notice,
  open,
  onClose,
}: {
  notice: NoticeOfOwnerFragment;
  open: boolean;
  onClose: () => void;
}) {
  const change = useChange(UpdateNoticeDocument);
  const [note, setNote] = useState(notice.migrationNote ?? "");
  const [day, setDay] = useState(dayOf(notice.deadline));
  const [wrong, setWrong] = useState<string>();
  const save = async () => {
    const moved = day !== dayOf(notice.deadline);
    if (moved && day < dayOf(notice.deadline)) return setWrong("Readers rely on the day: it can only become later");
    setWrong(undefined);
    const noted = note.trim() !== (notice.migrationNote ?? "") && note.trim() !== "";
    if (!moved && !noted) return onClose();
    const done = await change.run({
      input: {
        notice: notice.id,
        migrationNote: noted ? note.trim() : undefined,
        deadline: moved ? endOfDay(day) : undefined,
        idempotencyKey: idempotencyKey(),
      },
    });
    if (!done) return;
    announce(done.updateNotice.__typename === "NoticeClosed" ? "The notice is closed meanwhile" : "Saved");
    onClose();
  };
  return (
    <Dialog
      title="Change the notice"
      open={open}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={change.running} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
      {change.error && <Failure what="The notice was not changed." error={change.error} />}
      <ProseField label="What readers have to do" value={note} onChange={setNote} first />
      <Field label="Served at least until the end of" error={wrong}>
        {(aria) => (
          <input
            {...aria}
            type="date"
            min={dayAfter(Date.parse(notice.deadline), 0)}
            value={day}
            onInput={(event) => setDay(event.currentTarget.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}

const readerColumns: Column<Reader>[] = [
  {
    name: "Reader",
    cell: ({ grant: { principal } }) => (
      <>
        {principal.subject}
        {principal.owner && <span className="quiet-text"> (service of {principal.owner.subject})</span>}
      </>
    ),
    text: ({ grant }) => grant.principal.subject,
  },
  {
    name: "Purpose",
    cell: ({ grant }) => purposeWord(grant.purpose),
    text: ({ grant }) => purposeWord(grant.purpose),
  },
  { name: "Grant until", cell: ({ grant }) => <Day at={grant.until} />, text: ({ grant }) => grant.until },
  {
    name: "Broken columns it reads",
    cell: ({ columns }) =>
      columns ? columns.length > 0 ? <span className="mono">{columns.join(", ")}</span> : "none" : "not known",
    text: ({ columns }) => (columns ? columns.join(" ") || "none" : "not known"),
  },
  {
    name: "Answer",
    cell: ({ answer }) =>
      answer ? (
        <>
          <ReplyChip reply={answer.reply} /> <Time at={answer.at} />
          {answer.until && (
            <>
              , until <Day at={answer.until} />
            </>
          )}
          {answer.reason && <q className="block">{answer.reason}</q>}
        </>
      ) : (
        <span className="quiet-text">None yet</span>
      ),
    text: ({ answer }) => (answer ? [replyWord(answer.reply), answer.reason].filter(Boolean).join(": ") : ""),
  },
];
