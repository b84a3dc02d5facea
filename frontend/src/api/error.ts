/** Everything that can go wrong between the page and the server, in the words of the API's `extensions.code`. */
export type ErrorCode =
  | "INVALID"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "STALE"
  | "REFUSED"
  | "TOO_MANY"
  | "UNAVAILABLE"
  | "INTERNAL"
  /** No answer came at all. */
  | "UNREACHABLE";

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  "INVALID",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "CONFLICT",
  "STALE",
  "REFUSED",
  "TOO_MANY",
  "UNAVAILABLE",
  "INTERNAL",
  "UNREACHABLE",
]);

interface Details {
  requestId?: string;
  /** The next step, in the server's words. */
  hint?: string;
  /** The input at fault. */
  field?: string;
  /** The dotted reason. */
  reason?: string;
  retryAfterSeconds?: number;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  readonly details: Details;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Whether the same call may work later without a change. */
export function isWorthRetrying(error: ApiError): boolean {
  return ["UNREACHABLE", "UNAVAILABLE", "TOO_MANY", "INTERNAL", "STALE", "CONFLICT"].includes(error.code);
}

/** What a person can do about it, if the server says nothing better. */
export function nextStep(error: ApiError): string {
  if (error.details.hint) return sentence(error.details.hint);
  const wait = error.details.retryAfterSeconds;
  switch (error.code) {
    case "UNREACHABLE":
      return "Check that the server runs and that you are connected, then try again.";
    case "UNAVAILABLE":
      return "Nothing was changed. Try again in a moment.";
    case "TOO_MANY":
      return wait ? `Nothing was changed. Try again in ${wait} s.` : "Nothing was changed. Try again in a moment.";
    case "UNAUTHENTICATED":
      return "Sign in again.";
    case "FORBIDDEN":
      return "Ask an owner of the domain, or an admin, for the role that this needs.";
    case "NOT_FOUND":
      return "It does not exist, or you may not see it. Check the address.";
    case "CONFLICT":
    case "STALE":
      return "Someone changed it meanwhile. Load it again and look before you repeat this.";
    case "REFUSED":
      return "Read the reason above; the same call is refused again until it is lifted.";
    case "INVALID":
      return "Correct the input and send it again.";
    case "INTERNAL":
      return "Try again. If it fails again, report the request id to the operator of this server.";
  }
}

/** Server texts begin in lower case and have no full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?:]$/.test(first) ? first : `${first}.`;
}

/** An entry of a GraphQL answer's `errors`. */
export function fromGraphql(value: unknown): ApiError {
  const error = record(value);
  const extensions = record(error.extensions);
  return new ApiError(code(extensions.code), text(error.message) ?? "the server gave no reason", details(extensions));
}

/** An answer that is not GraphQL: a problem document (RFC 9457), or something on the way that is not our server. */
export function fromProblem(status: number, value: unknown, headers: Headers): ApiError {
  const problem = record(value);
  const retryAfter = Number(headers.get("retry-after") ?? "");
  return new ApiError(
    codeOfStatus(status),
    text(problem.detail) ?? text(problem.title) ?? `the server answered with status ${status}`,
    {
      ...details(problem),
      requestId: text(problem.requestId) ?? headers.get("x-request-id") ?? undefined,
      retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
    },
  );
}

function details(from: Record<string, unknown>): Details {
  return {
    requestId: text(from.requestId),
    hint: text(from.hint),
    field: text(from.field),
    reason: text(from.reason),
  };
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return "UNAUTHENTICATED";
  if (status === 403) return "FORBIDDEN";
  if (status === 404) return "NOT_FOUND";
  if (status === 409) return "CONFLICT";
  if (status === 429) return "TOO_MANY";
  if (status === 502 || status === 503 || status === 504) return "UNAVAILABLE";
  return status >= 500 ? "INTERNAL" : "INVALID";
}

function code(value: unknown): ErrorCode {
  return typeof value === "string" && codes.has(value) ? (value as ErrorCode) : "INTERNAL";
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
