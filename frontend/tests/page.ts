// What every test of the page starts from. Elements are found by role and label, as people find them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test as base, expect, type Page } from "@playwright/test";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export type Who = "admin" | "ann" | "bob" | "cat" | "dan" | "sam";

export const test = base.extend<{ signedInAs: (who: Who, path?: string) => Promise<Page>; quiet: undefined }>({
  // biome-ignore lint/correctness/noEmptyPattern: it takes no other fixture, and must say so in this form
  baseURL: async ({}, use) => use(process.env.PAGE_URL),
  /** Nothing on any page may fail in silence, and nothing hostile may run. */
  quiet: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        // A refused request is noted by the browser, and shown by the page.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
          faults.push(message.text());
      });
      page.on("dialog", (dialog) => faults.push(`a dialog: ${dialog.message()}`));
      await use(undefined);
      expect(faults).toEqual([]);
      expect(await page.evaluate(() => (window as { hit?: string }).hit)).toBeUndefined();
    },
    { auto: true },
  ],
  signedInAs: async ({ page }, use) => {
    await use(async (who, path = "/") => {
      await page.goto(`/sign-in?next=${encodeURIComponent(path)}#code=${who}`);
      await page.waitForURL((url) => url.pathname !== "/sign-in");
      await settled(page);
      return page;
    });
  },
});

export { expect };

/** Nothing is loading any more. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator("main h1").first()).toBeAttached();
  await expect(page.locator(".loading, [aria-busy=true]")).toHaveCount(0);
}

/** No violation of WCAG 2.2 AA or of axe's best practices. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    type Axe = {
      run(
        context: Document,
        options: object,
      ): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }>;
    };
    const { violations } = await (window as unknown as { axe: Axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(" ")} ${failureSummary}`).join("; ")}`,
    );
  });
  expect(found, what).toEqual([]);
}

/** The page fits its window: it does not scroll sideways. */
export async function expectFits(page: Page): Promise<void> {
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  ).toBeLessThanOrEqual(0);
}

/** The GraphQL requests that `act` causes. */
export async function requests(page: Page, act: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const listen = (request: { url(): string; postData(): string | null }) => {
    if (request.url().endsWith("/graphql")) seen.push(request.postData() ?? "");
  };
  page.on("request", listen);
  await act();
  await settled(page);
  page.off("request", listen);
  return seen;
}

/** How often `act` presses the pointer. */
export async function clicks(page: Page, act: () => Promise<unknown>): Promise<number> {
  let n = 0;
  const name = `pressed${Math.random().toString(36).slice(2)}`;
  await page.exposeFunction(name, () => {
    n += 1;
  });
  const listen = (name: string) => {
    document.addEventListener("pointerdown", () => (window as unknown as Record<string, () => void>)[name]?.(), true);
  };
  await page.addInitScript(listen, name);
  await page.evaluate(listen, name);
  await act();
  return n;
}

/** The text of the file that `act` saves. */
export async function saved(page: Page, act: () => Promise<unknown>): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent("download"), act()]);
  return readFileSync(await file.path(), "utf8");
}

/** Does something with the API as a person, beside the page. */
export async function gql(who: Who, query: string, variables: object = {}): Promise<Record<string, never>> {
  const tokens = JSON.parse(process.env.CHARTER_DOOR_TOKENS ?? "{}") as Record<string, string>;
  const response = await fetch(`${process.env.CHARTER_SERVER}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${tokens[who]}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { data?: Record<string, never>; errors?: unknown };
  if (!answer.data) throw new Error(JSON.stringify(answer));
  return answer.data;
}

/** Asks for access, and gives the id of the request. */
export async function askFor(who: Who, address: string, sentence: string, purpose = "ANALYTICS"): Promise<string> {
  const data = (await gql(
    who,
    "mutation($input: RequestAccessInput!) { requestAccess(input: $input) { request { id } } }",
    { input: { address, purpose, sentence } },
  )) as unknown as { requestAccess: { request: { id: string } } };
  return data.requestAccess.request.id;
}

export async function approve(who: Who, request: string): Promise<void> {
  await gql(who, "mutation($input: ApproveRequestInput!) { approveRequest(input: $input) { __typename } }", {
    input: { request },
  });
}
