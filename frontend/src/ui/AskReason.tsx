import { type ReactNode, useState } from "react";
import type { ApiError } from "../api/error";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ProseField } from "./inputs";
import { Failure } from "./states";

/** Asks for the reason of an act that another person reads later, and does it. `act` gives `true` when it is done. */
export function AskReason({
  title,
  open,
  onClose,
  verb,
  busy,
  error,
  act,
  children,
}: {
  title: string;
  open: boolean;
  onClose: () => void;
  verb: string;
  busy: boolean;
  error?: ApiError;
  act: (reason: string) => Promise<boolean>;
  children?: ReactNode;
}) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const send = async () => {
    const given = reason.trim();
    setMissing(given === "");
    if (given === "" || !(await act(given))) return;
    setReason("");
    onClose();
  };
  return (
    <Dialog
      title={title}
      open={open}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" busy={busy} onClick={() => void send()}>
            {verb}
          </Button>
        </>
      }
    >
      {children}
      {error && <Failure what="It was not done." error={error} />}
      <ProseField
        label="Reason"
        hint="Those whom it concerns read it, and it stays in the audit log."
        error={missing ? "Give a reason" : undefined}
        value={reason}
        onChange={setReason}
        first
      />
    </Dialog>
  );
}
