import { approve, askFor, clicks, expect, gql, requests, saved, settled, test } from "./page";
import { hostile } from "./world.mjs";

test("a request is one click from its form, which is filled but for the sentence", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/ask?product=nyc.flights");
  await expect(page.getByLabel("Purpose")).toHaveValue("ANALYTICS");
  const day = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  await expect(page.getByLabel("Until the end of")).toHaveValue(day);
  await page.getByLabel("What for").fill("late by hour");
  expect(await clicks(page, () => page.getByRole("button", { name: "Send the request" }).click())).toBe(1);
  await expect(page.getByText("An owner of nyc decides")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "My access" }).click();
  await expect(page.getByRole("row").filter({ hasText: "late by hour" })).toContainText("Waits for an owner");
});

test("the link of a refusal opens the form, filled with what was refused", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/ask?address=nyc.flights.flights__v1&purpose=reporting&sentence=late%20flights");
  await expect(page.getByLabel("What", { exact: true })).toHaveValue("flights 1");
  await expect(page.getByLabel("Purpose")).toHaveValue("REPORTING");
  await expect(page.getByLabel("What for")).toHaveValue("late flights");
});

test("wrong input is said at its field, and nothing is sent", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/ask?product=sales.orders&purpose=fun&port=none");
  await expect(page.getByText("The link names a purpose that does not exist")).toBeVisible();
  await expect(page.getByText("The link names a port or major that the product does not have")).toBeVisible();
  const sent = await requests(page, () => page.getByRole("button", { name: "Send the request" }).click());
  expect(sent).toEqual([]);
  await expect(page.getByLabel("What for")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText("Say in a sentence what you need it for")).toBeVisible();
  await page.getByLabel("What for").fill("x");
  for (const [day, wrong] of [
    ["2020-01-01", "The day has passed"],
    [new Date(Date.now() + 400 * 86_400_000).toISOString().slice(0, 10), "at most 365 days"],
    ["", "Give a day"],
  ] as const) {
    await page.getByLabel("Until the end of").fill(day);
    expect(await requests(page, () => page.getByRole("button", { name: "Send the request" }).click())).toEqual([]);
    await expect(page.getByText(wrong)).toBeVisible();
  }
});

test("a product that is hidden is not there, like one that is missing", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/ask?product=sales.customers");
  const hidden = await page.getByRole("main").textContent();
  await page.goto("/ask?product=sales.nothing");
  await settled(page);
  expect((await page.getByRole("main").textContent())?.replaceAll("nothing", "customers")).toBe(hidden);
  await page.goto("/ask");
  await page.getByRole("link", { name: "Find a product" }).click();
  await expect(page).toHaveURL(/\/$/);
});

test("what waits is said in the form, and can be withdrawn there", async ({ page, signedInAs }) => {
  await askFor("dan", "nyc.flights.flights__v1", "helping a colleague", "SUPPORT");
  await signedInAs("dan", "/ask?product=nyc.flights&major=1&purpose=support");
  await expect(page.getByText("You asked for this")).toBeVisible();
  await page.getByRole("button", { name: /^Withdraw/ }).click();
  await expect(page.getByText("You asked for this")).toHaveCount(0);
});

test("a request that the server refuses keeps what was typed, and can be sent again", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/ask?product=nyc.flights&purpose=compliance");
  await page.getByLabel("What for").fill("money back");
  await page.route("**/graphql", (route) =>
    route.request().postData()?.includes("money back")
      ? route.fulfill({
          status: 429,
          contentType: "application/problem+json",
          headers: { "retry-after": "7", "x-request-id": "req-7" },
          body: JSON.stringify({ detail: "too many requests" }),
        })
      : route.fallback(),
  );
  await page.getByRole("button", { name: "Send the request" }).click();
  await expect(page.getByRole("alert")).toContainText("Try again in 7 s");
  await expect(page.getByLabel("What for")).toHaveValue("money back");
  await page.unroute("**/graphql");
  await page.getByRole("button", { name: "Send the request" }).click();
  await expect(page.getByText("An owner of nyc decides")).toBeVisible();
});

test("what cannot be given yet is refused with the reason", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/ask?product=nyc.weather");
  await page.getByLabel("What for").fill("wind against delays");
  await page.getByRole("button", { name: "Send the request" }).click();
  await expect(page.getByRole("alert")).toContainText("has no active contract version yet");
});

test("an owner answers with one click, with purpose, columns, use and history in sight", async ({
  page,
  signedInAs,
}) => {
  await askFor("dan", "nyc.flights.flights__v1", "delays by carrier", "REPORTING");
  await signedInAs("ann");
  const opened = await requests(page, () => page.getByRole("link", { name: "Inbox" }).click());
  expect(opened).toHaveLength(1);
  const card = page.getByRole("listitem").filter({ hasText: "delays by carrier" });
  await expect(card).toContainText("Reporting");
  await expect(card).toContainText("9 columns");
  await expect(card).toContainText("Nothing in 90 days");
  await expect(card).toContainText("dan has not tried lately");
  expect(await clicks(page, () => card.getByRole("button", { name: /^Approve/ }).click())).toBe(1);
  await expect(page.getByText(/dan can read Flights until/)).toBeVisible();
  await expect(card).toHaveCount(0);
  await signedInAs("dan", "/access");
  const row = page.getByRole("table", { name: "What I can read" }).getByRole("row").filter({ hasText: "delays" });
  await expect(row).toContainText("Never used");
  await expect(row).toContainText("v1 retires from");
});

test("rejecting needs a reason, which the requester reads and asks again from", async ({ page, signedInAs }) => {
  await askFor("dan", "nyc.flights.flights__v2", "a league of carriers", "SUPPORT");
  await signedInAs("ann", "/inbox");
  const card = page.getByRole("listitem").filter({ hasText: "a league of carriers" });
  const sent = await requests(page, () => card.getByRole("button", { name: /^Reject/ }).click());
  expect(sent).toEqual([]);
  await expect(card.getByText("Give a reason")).toBeVisible();
  await card.getByLabel("Reason").fill("ask for the monthly figures instead");
  expect(await clicks(page, () => card.getByRole("button", { name: /^Reject/ }).click())).toBe(1);
  await expect(page.getByText("The request of dan for Flights is rejected.")).toBeVisible();
  await signedInAs("dan", "/access");
  const row = page.getByRole("row").filter({ hasText: "a league of carriers" });
  await expect(row).toContainText("ask for the monthly figures instead");
  await row.getByRole("link", { name: /^Ask again/ }).click();
  await expect(page.getByLabel("What for")).toHaveValue("a league of carriers");
});

test("a request that was withdrawn meanwhile is not approved, and that is said", async ({ page, signedInAs }) => {
  const request = await askFor("dan", "nyc.flights.flights__v2", "will be withdrawn", "OPERATIONS");
  await signedInAs("ann", "/inbox");
  const card = page.getByRole("listitem").filter({ hasText: "will be withdrawn" });
  await expect(card).toBeVisible();
  await gql("dan", "mutation($input: WithdrawRequestInput!) { withdrawRequest(input: $input) { __typename } }", {
    input: { request },
  });
  await card.getByRole("button", { name: /^Approve/ }).click();
  await expect(page.getByText(/^Not done: /)).toBeVisible();
  await expect(card).toHaveCount(0);
});

test("the inbox offers no decision on one's own requests or those of other domains", async ({ page, signedInAs }) => {
  await askFor("sam", "nyc.flights.flights__v1", "flights that bring parcels");
  for (const who of ["sam", "cat", "bob"] as const) {
    await signedInAs(who, "/inbox");
    await expect(page.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(page.getByRole("button", { name: /^Approve/ })).toHaveCount(0);
  }
});

test("a sentence that tries to be markup is text in the inbox", async ({ page, signedInAs }) => {
  await signedInAs("ann", "/inbox");
  const card = page.getByRole("listitem").filter({ hasText: hostile.sentence });
  await expect(card).toBeVisible();
  await card.locator(".quote").hover();
  await expect(page.locator("main b")).toHaveCount(0);
});

test("a change is answered with one click; more time needs a day and a reason", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/inbox");
  await expect(page.getByRole("heading", { name: /Flights 1.1.0 gives way to 2.0.0/ })).toBeVisible();
  const ask = page.getByRole("button", { name: "Ask for more time: Flights" });
  await ask.click();
  const dialog = page.getByRole("dialog", { name: "Ask for more time" });
  await dialog.getByLabel("Until the end of").fill("2026-12-01");
  expect(await requests(page, () => dialog.getByRole("button", { name: "Send the answer" }).click())).toEqual([]);
  await expect(dialog.getByText("Give a reason")).toBeVisible();
  await expect(dialog.getByText("Give a day after the one")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(ask).toBeFocused();
  expect(await clicks(page, () => page.getByRole("button", { name: "I move in time: Flights" }).click())).toBe(1);
  await expect(page.getByText("Nothing waits for you.")).toBeVisible();
  await page.getByRole("link", { name: "See what you asked for" }).click();
  await expect(page.getByText("You answered")).toContainText("Moves in time");
});

test("my access is saved as CSV and JSON, and a grant can be given up with a reason", async ({ page, signedInAs }) => {
  await approve("ann", await askFor("bob", "nyc.flights.flights__v2", "=1+1 flights in words"));
  await signedInAs("bob", "/access");
  const csv = await saved(page, () => page.getByRole("button", { name: "Save as CSV: What I can read" }).click());
  expect(csv).toContain("Data,Purpose,Ends,Last use,State");
  expect(csv).toContain("nyc.flights flights v2");
  expect(csv).toContain("Analytics: =1+1 flights in words");
  const json = await saved(page, () => page.getByRole("button", { name: "Save as JSON: What I can read" }).click());
  expect(JSON.parse(json)).toContainEqual(expect.objectContaining({ Data: "nyc.flights flights v2" }));
  await page.getByRole("button", { name: "Give up Flights v2" }).click();
  const dialog = page.getByRole("dialog", { name: "Give up Flights v2" });
  await dialog.getByRole("button", { name: "Give up" }).click();
  await expect(dialog.getByText("Give a reason", { exact: true })).toBeVisible();
  await dialog.getByLabel("Reason").fill("the question is answered");
  await dialog.getByRole("button", { name: "Give up" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("table", { name: "What I could read" })).toContainText("the question is answered");
});

test("asking and answering work by keys alone", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/ask?product=nyc.flights&purpose=machine_learning");
  await page.getByLabel("Purpose").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.type("by keys alone");
  await page.getByRole("button", { name: "Send the request" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("An owner of nyc decides")).toBeVisible();
  await signedInAs("ann");
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  const approve = page
    .getByRole("listitem")
    .filter({ hasText: "by keys alone" })
    .getByRole("button", { name: /^Approve/ });
  await approve.focus();
  await page.keyboard.press("Enter");
  // The focus goes on at what was done.
  await expect(page.locator(":focus")).toContainText("dan can read Flights");
});
