import { idempotencyKey, useChange } from "../../api/query";
import { WithdrawRequestDocument } from "../../gen/graphql";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Failure } from "../../ui/states";

export function WithdrawButton({ request, what }: { request: string; what: string }) {
  const change = useChange(WithdrawRequestDocument);
  const withdraw = async () => {
    const done = await change.run({ input: { request, idempotencyKey: idempotencyKey() } });
    if (!done) return;
    announce(
      done.withdrawRequest.__typename === "RequestNotPending" ? "It was decided meanwhile" : "The request is withdrawn",
    );
  };
  return (
    <>
      <Button busy={change.running} aria-label={`Withdraw the request for ${what}`} onClick={() => void withdraw()}>
        Withdraw
      </Button>
      {change.error && <Failure what="It was not withdrawn." error={change.error} />}
    </>
  );
}
