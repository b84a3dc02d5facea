import "./page.css";
import { type ReactNode, useId } from "react";
import { type Query, useQuery } from "../api/query";
import { useViewer } from "../api/session";
import { MeDocument } from "../gen/graphql";
import { dayOf } from "../lib/time";
import { Failure, Loading } from "./states";
import { Time } from "./Time";

/** The head of a page: its title, what it is for in a sentence, and what can be done with all of it. */
export function PageHead({ title, children, tools }: { title: string; children?: ReactNode; tools?: ReactNode }) {
  return (
    <div className="page-head">
      <div>
        <h1>{title}</h1>
        {tools}
      </div>
      {children && <p>{children}</p>}
    </div>
  );
}

/** A part of a page with its heading. */
export function Part({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className="part" aria-labelledby={id}>
      <div className="part-head">
        <h2 id={id}>{title}</h2>
        {note && <span className="quiet-text">{note}</span>}
      </div>
      {children}
    </section>
  );
}

/** The answer to the page's query, or its place, or what failed of it. */
export function Answered<Data>({
  query,
  what,
  children,
}: {
  query: Query<Data>;
  /** As in "your grants". */
  what: string;
  children: (data: Data) => ReactNode;
}) {
  // A refused query does not say who is signed in; the header needs it.
  const viewer = useViewer();
  useQuery(MeDocument, {}, query.error?.code === "FORBIDDEN" && viewer === undefined);
  return (
    <>
      {query.error && <Failure what={`Reading ${what} failed.`} error={query.error} retry={query.retry} />}
      {query.errors.map((error) => (
        <Failure key={error.message} what={`A part of ${what} is missing.`} error={error} retry={query.retry} />
      ))}
      {query.data ? children(query.data) : !query.error && <Loading what={what} lines={10} />}
    </>
  );
}

export interface PageOf {
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
}

/** Says that a list has more than what is shown, where that changes what the page can say. */
export function OnlyNewest({ of: { pageInfo }, n, what }: { of: PageOf; n: number; what: string }) {
  if (!pageInfo.hasNextPage) return null;
  return (
    <p className="quiet-text">
      Of the newest {n} {what} that you may see; there are older ones.
    </p>
  );
}

/** An end or a deadline: the day, and how far away it is. */
export function Day({ at }: { at: string }) {
  return (
    <>
      <span className="nowrap">{dayOf(at)}</span>{" "}
      <span className="quiet-text">
        <Time at={at} />
      </span>
    </>
  );
}
