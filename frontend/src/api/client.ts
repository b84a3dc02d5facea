import { ApiError, fromGraphql, fromProblem } from "./error";
import type { Operation } from "./operation";

/** The server takes requests with the session's cookie only with this header, which a foreign page cannot set. */
const headers = { "content-type": "application/json", "x-charter": "page" };

export interface Answer<Data> {
  data: Data;
  /** What failed of it, while the rest is there. */
  errors: ApiError[];
}

/** Sends one operation. Fails with an `ApiError`, or with the `AbortError` of `signal`. */
export async function send<Data, Variables>(
  operation: Operation<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Answer<Data>> {
  const response = await call("/graphql", {
    method: "POST",
    headers,
    body: JSON.stringify({ documentId: operation.id, variables }),
    signal,
  });
  const body = await json(response);
  if (isAnswer(body)) {
    const errors = (body.errors ?? []).map(fromGraphql);
    if (body.data != null) return { data: body.data as Data, errors };
    const first = errors[0];
    if (first) throw first;
  }
  throw fromProblem(response.status, body, response.headers);
}

/** Exchanges a one-time code for the session's cookie. */
export async function signIn(code: string): Promise<void> {
  await expectDone(await call("/session", { method: "POST", headers, body: JSON.stringify({ code }) }));
}

export async function signOut(): Promise<void> {
  await expectDone(await call("/session", { method: "DELETE", headers }));
}

async function call(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, credentials: "same-origin", redirect: "error", cache: "no-store" });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError("UNREACHABLE", "the server does not answer");
  }
}

async function expectDone(response: Response): Promise<void> {
  if (!response.ok) throw fromProblem(response.status, await json(response), response.headers);
}

async function json(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

function isAnswer(body: unknown): body is { data?: unknown; errors?: unknown[] } {
  return typeof body === "object" && body !== null && ("data" in body || "errors" in body);
}
