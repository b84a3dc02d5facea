import { useState } from "react";
import type { Operation } from "../api/operation";
import { Button } from "./Button";
import { Snippet } from "./Copy";
import { Dialog } from "./Dialog";

/** What the page does here, as a command of `charter` and as a call of the API: a script can do the same. */
export function CopyAs<V>({
  command,
  operation,
  variables,
}: {
  command?: string;
  operation: Operation<unknown, V>;
  variables: V;
}) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState<string>();
  const show = async () => {
    setOpen(true);
    // The texts are not part of the page: it sends their hashes.
    const { default: persisted } = await import("../../persisted.json");
    setText((persisted as Record<string, string>)[operation.id]);
  };
  return (
    <>
      <Button look="quiet" icon="copy" onClick={show}>
        As a script
      </Button>
      <Dialog title="The same from a script" open={open} onClose={() => setOpen(false)} wide>
        {command && (
          <>
            <h3>Command</h3>
            <Snippet text={command} what="command" />
          </>
        )}
        <h3>GraphQL</h3>
        <p className="hint">
          Send it to <code>POST /graphql</code> with a token of <code>charter token create</code>.
        </p>
        {text && (
          <>
            <Snippet text={text} what="query" />
            <h3>Variables</h3>
            <Snippet text={JSON.stringify(variables, null, 2)} what="variables" />
          </>
        )}
      </Dialog>
    </>
  );
}

/** A word of a command, quoted for a shell where it needs that. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
