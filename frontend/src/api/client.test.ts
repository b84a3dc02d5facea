import { afterEach, expect, test, vi } from "vitest";
import { send, signIn } from "./client";
import { ApiError, nextStep, sentence } from "./error";
import type { Operation } from "./operation";

const operation: Operation<{ viewer: string | null }, { text: string }> = { id: "a1", name: "Test" };

function answers(status: number, body: string, headers: Record<string, string> = {}) {
  const fetch = vi.fn<typeof globalThis.fetch>(
    async () => new Response(status === 204 ? null : body, { status, headers }),
  );
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

afterEach(() => vi.unstubAllGlobals());

async function failure(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

test("a request has the hash of its document, the variables and the header against foreign pages", async () => {
  const fetch = answers(200, '{"data":{"viewer":"ann"}}');
  expect(await send(operation, { text: "x" })).toEqual({ data: { viewer: "ann" }, errors: [] });
  const [path, init] = fetch.mock.calls[0] ?? [];
  expect(path).toBe("/graphql");
  expect(init).toMatchObject({ method: "POST", credentials: "same-origin", redirect: "error" });
  expect(init?.headers).toEqual({ "content-type": "application/json", "x-charter": "page" });
  expect(JSON.parse(String(init?.body))).toEqual({ documentId: "a1", variables: { text: "x" } });
});

test("data with errors is shown with its errors, errors without data are a failure", async () => {
  const error = '{"message":"no such","extensions":{"code":"NOT_FOUND","requestId":"r1","hint":"look elsewhere"}}';
  answers(200, `{"data":{"viewer":null},"errors":[${error}]}`);
  const answer = await send(operation, { text: "" });
  expect(answer.errors[0]).toMatchObject({ code: "NOT_FOUND", details: { requestId: "r1" } });
  answers(200, `{"data":null,"errors":[${error}]}`);
  const failed = await failure(send(operation, { text: "" }));
  expect(nextStep(failed)).toBe("Look elsewhere.");
});

test("whatever answers, the failure has a code, a reason and a next step", async () => {
  const check = async (
    status: number,
    body: string,
    headers: Record<string, string>,
    code: string,
    message: string,
  ) => {
    answers(status, body, headers);
    const error = await failure(send(operation, { text: "" }));
    expect([error.code, error.message]).toEqual([code, message]);
    expect(nextStep(error)).not.toBe("");
    return error;
  };
  await check(401, '{"detail":"the session has ended"}', {}, "UNAUTHENTICATED", "the session has ended");
  await check(403, '{"title":"foreign origin"}', {}, "FORBIDDEN", "foreign origin");
  const busy = await check(429, "{}", { "retry-after": "7" }, "TOO_MANY", "the server answered with status 429");
  expect(nextStep(busy)).toContain("7 s");
  const proxy = await check(
    502,
    "<html>",
    { "x-request-id": "r2" },
    "UNAVAILABLE",
    "the server answered with status 502",
  );
  expect(proxy.details.requestId).toBe("r2");
  await check(500, "", {}, "INTERNAL", "the server answered with status 500");
  await check(200, "[]", {}, "INVALID", "the server answered with status 200");
  await check(200, '{"data":null,"errors":[7]}', {}, "INTERNAL", "the server gave no reason");
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed")));
  expect((await failure(send(operation, { text: "" }))).code).toBe("UNREACHABLE");
});

test("signing in is done without an answer's body, and a refused code says so", async () => {
  answers(204, "");
  await signIn("code");
  answers(401, '{"detail":"the code is not valid"}');
  expect((await failure(signIn("code"))).code).toBe("UNAUTHENTICATED");
});

test("the server's words become sentences", () => {
  expect(sentence("the name is taken")).toBe("The name is taken.");
  expect(sentence("Try again?")).toBe("Try again?");
  expect(sentence(" ")).toBe("");
});
