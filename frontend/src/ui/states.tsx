import type { ReactNode } from "react";
import { type ApiError, isWorthRetrying, nextStep, sentence } from "../api/error";
import { Button } from "./Button";
import { Copy } from "./Copy";
import { Icon } from "./Icon";

/** A failure: what failed, what to do next, the request id, and retry where it can help. */
export function Failure({ what, error, retry }: { what: string; error: ApiError; retry?: () => void }) {
  return (
    <div className="notice bad" role="alert">
      <Icon name="cross" />
      <div>
        <p>
          <strong>{what}</strong> {sentence(error.message)}
        </p>
        <p>{nextStep(error)}</p>
        {error.details.requestId && (
          <p className="quiet-text">
            Request id <code>{error.details.requestId}</code> <Copy text={error.details.requestId} what="request id" />
          </p>
        )}
        {retry && isWorthRetrying(error) && (
          <Button icon="reload" onClick={retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** A remark of a tone, with words for it. */
export function Note({ tone, children }: { tone: "info" | "warn" | "bad" | "good"; children: ReactNode }) {
  const icon = { info: "info", warn: "warn", bad: "cross", good: "check" } as const;
  return (
    <div className={`notice ${tone}`}>
      <Icon name={icon[tone]} />
      <div>{children}</div>
    </div>
  );
}

/** Nothing to show, and what one can do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Holds the place of `lines` lines; seen only after 150 ms, so that a quick answer does not flicker. */
export function Loading({ what, lines = 6 }: { what: string; lines?: number }) {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">Loading {what}</span>
      {Array.from({ length: lines }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all the same
        <span key={index} className="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}
