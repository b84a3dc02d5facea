import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { signIn } from "../../api/client";
import { ApiError } from "../../api/error";
import { dropAnswers } from "../../api/query";
import { safeNext } from "../../lib/paths";
import { useTitle } from "../../shell/Shell";
import { Button } from "../../ui/Button";
import { Snippet } from "../../ui/Copy";
import { Field } from "../../ui/Field";
import { Failure } from "../../ui/states";

const route = getRouteApi("/sign-in");

export function SignIn() {
  const { next } = route.useSearch();
  const router = useRouter();
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [missing, setMissing] = useState<string>();
  useTitle("Sign in");

  const enter = async (code: string) => {
    setBusy(true);
    setError(undefined);
    try {
      await signIn(code);
      dropAnswers();
      router.history.replace(safeNext(next));
    } catch (cause) {
      setError(
        cause instanceof ApiError && cause.code === "UNAUTHENTICATED"
          ? new ApiError("UNAUTHENTICATED", "the code is wrong, used already, or too old", {
              ...cause.details,
              hint: "run `charter login` again: a code works once, for a short time",
            })
          : cause instanceof ApiError
            ? cause
            : new ApiError("INTERNAL", String(cause)),
      );
      setBusy(false);
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: it reads the address, when the page opens and when a link is pasted
  useEffect(() => {
    const take = () => {
      const linked = new URLSearchParams(window.location.hash.slice(1)).get("code");
      if (!linked) return;
      // The code leaves the address bar and the history before it is used.
      window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
      void enter(linked);
    };
    take();
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, []);

  return (
    <div className="page narrow sign-in">
      <h1>Sign in</h1>
      <p>
        The command line, where you are signed in, lets this browser in. Open the link that it prints, or type its code
        here.
      </p>
      <Snippet text="charter login" what="command" />
      {error && <Failure what="You are not signed in." error={error} />}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const given = code.trim();
          setMissing(given === "" ? "Type the code, or open the link of the command" : undefined);
          if (given !== "" && !busy) void enter(given);
        }}
      >
        <Field label="Code" error={missing}>
          {(aria) => (
            <input
              {...aria}
              name="code"
              type="text"
              autoComplete="one-time-code"
              autoCapitalize="off"
              spellCheck={false}
              className="mono"
              value={code}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button look="primary" type="submit" busy={busy}>
          {busy ? "Signing in …" : "Sign in"}
        </Button>
      </form>
    </div>
  );
}
