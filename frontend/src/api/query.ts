import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { type Answer, send } from "./client";
import { ApiError } from "./error";
import type { Operation } from "./operation";
import { noticeViewer, signedOut } from "./session";

/** How long an answer stands in for a request that is asked again: going back and forth asks nothing. */
const fresh_ms = 10_000;
const fresh_failure_ms = 2_000;
const kept_answers = 60;

interface Entry {
  answer?: Answer<unknown>;
  /** Why the last request failed, for who mounts right after: a loader's failure is not asked for again. */
  failure?: ApiError;
  at: number;
  pending?: Promise<Answer<unknown>>;
  abort?: AbortController;
  waiting: number;
}

const entries = new Map<string, Entry>();
/** The mounted queries, which ask again after a change. */
const mounted = new Set<() => void>();

function keyOf<D, V>(operation: Operation<D, V>, variables: V): string {
  return operation.id + JSON.stringify(variables);
}

/** Sends a query and keeps its answer. Two callers of the same query share one request. */
function ask<D, V>(operation: Operation<D, V>, variables: V): { entry: Entry; pending: Promise<Answer<D>> } {
  const key = keyOf(operation, variables);
  const entry: Entry = entries.get(key) ?? { at: 0, waiting: 0 };
  entries.delete(key);
  entries.set(key, entry);
  for (const [old, { pending }] of entries) {
    if (entries.size <= kept_answers) break;
    if (!pending && old !== key) entries.delete(old);
  }
  if (!entry.pending) {
    const abort = new AbortController();
    entry.abort = abort;
    const pending: Promise<Answer<unknown>> = send(operation, variables, abort.signal)
      .then((answer) => {
        entry.answer = answer;
        entry.failure = undefined;
        entry.at = Date.now();
        noticeViewer(answer.data);
        return answer as Answer<unknown>;
      })
      .finally(() => {
        if (entry.pending === pending) entry.pending = undefined;
      });
    pending.catch((cause: unknown) => {
      if (cause instanceof ApiError) Object.assign(entry, { failure: cause, at: Date.now() });
    });
    entry.pending = pending;
  }
  return { entry, pending: entry.pending as Promise<Answer<D>> };
}

/** Begins a query before the component that shows it is there: in a route's loader. */
export function prefetch<D, V>(operation: Operation<D, V>, variables: V): void {
  const found = entries.get(keyOf(operation, variables));
  if (!found?.answer || Date.now() - found.at > fresh_ms) ask(operation, variables);
}

/** After a change or another sign-in, what was read before does not count any more. */
export function forgetAnswers(): void {
  for (const entry of entries.values()) entry.at = 0;
  for (const again of mounted) again();
}

/** For another viewer nothing may be left. */
export function dropAnswers(): void {
  entries.clear();
}

export interface Query<Data> {
  data: Data | undefined;
  /** What failed of the data that is there. */
  errors: ApiError[];
  /** Why there is no newer data. */
  error: ApiError | undefined;
  loading: boolean;
  /** The data belongs to earlier variables. */
  stale: boolean;
  retry: () => void;
}

/**
 * The answer to a query. While new variables load, the data of the old ones stays, as `stale`. `when: false` asks
 * nothing.
 */
export function useQuery<D, V>(operation: Operation<D, V>, variables: V, when = true): Query<D> {
  const key = keyOf(operation, variables);
  const [round, again] = useReducer((n: number) => n + 1, 0);
  const retry = useCallback(() => {
    const found = entries.get(key);
    if (found) found.at = 0;
    again();
  }, [key]);
  const [state, setState] = useState<{ key: string; answer?: Answer<D>; error?: ApiError; done: boolean }>(() => ({
    key,
    answer: entries.get(key)?.answer as Answer<D> | undefined,
    done: false,
  }));
  const latest = useRef({ operation, variables });
  latest.current = { operation, variables };

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for operation and variables, `round` asks again
  useEffect(() => {
    if (!when) return;
    const { operation, variables } = latest.current;
    const found = entries.get(key);
    if (found?.answer && !found.failure) {
      setState({ key, answer: found.answer as Answer<D>, done: Date.now() - found.at <= fresh_ms });
      if (Date.now() - found.at <= fresh_ms) return;
    }
    const fail = (error: ApiError) => {
      if (error.code === "UNAUTHENTICATED") signedOut();
      setState((before) => ({ key, answer: before.key === key ? before.answer : undefined, error, done: true }));
    };
    if (found?.failure && Date.now() - found.at <= fresh_failure_ms) {
      fail(found.failure);
      return;
    }
    let gone = false;
    const { entry, pending } = ask(operation, variables);
    entry.waiting += 1;
    pending.then(
      (answer) => !gone && setState({ key, answer, done: true }),
      (cause: unknown) => {
        if (!gone) fail(cause instanceof ApiError ? cause : new ApiError("INTERNAL", String(cause)));
      },
    );
    return () => {
      gone = true;
      entry.waiting -= 1;
      // The answer to what was typed before the last key is of no use.
      if (entry.waiting === 0 && entry.pending) {
        entry.abort?.abort();
        entry.pending = undefined;
      }
    };
  }, [key, round, when]);

  useEffect(() => {
    mounted.add(again);
    return () => {
      mounted.delete(again);
    };
  }, []);

  const current = state.key === key;
  return {
    data: when ? state.answer?.data : undefined,
    errors: state.answer?.errors ?? [],
    error: current ? state.error : undefined,
    loading: when && !(current && state.done),
    stale: !current,
    retry,
  };
}

export interface Change<Data, Variables> {
  /** Sends it; after success every query on the page is asked again. `undefined` after a failure, which is in `error`. */
  run: (variables: Variables) => Promise<Data | undefined>;
  running: boolean;
  error: ApiError | undefined;
  reset: () => void;
}

export function useChange<D, V>(operation: Operation<D, V>): Change<D, V> {
  const [state, setState] = useState<{ running: boolean; error?: ApiError }>({ running: false });
  const run = useCallback(
    async (variables: V) => {
      setState({ running: true });
      try {
        const { data, errors } = await send(operation, variables);
        setState({ running: false, error: errors[0] });
        forgetAnswers();
        return data;
      } catch (cause) {
        const error = cause instanceof ApiError ? cause : new ApiError("INTERNAL", String(cause));
        if (error.code === "UNAUTHENTICATED") signedOut();
        setState({ running: false, error });
        return undefined;
      }
    },
    [operation],
  );
  const reset = useCallback(() => setState({ running: false }), []);
  return { run, running: state.running, error: state.error, reset };
}

/** The key of a change that may be sent again after a failure: the same for the same input, another for another one. */
export function useIdempotencyKey(input: unknown): string {
  const text = JSON.stringify(input);
  const kept = useRef({ text, key: "" });
  if (kept.current.key === "" || kept.current.text !== text) kept.current = { text, key: idempotencyKey() };
  return kept.current.key;
}

/** A key under which the server does a change once, however often it is sent. */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
