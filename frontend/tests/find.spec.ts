import { expect, requests, settled, test } from "./page";
import { hostile } from "./world.mjs";

test("a column's everyday name finds the product and says whether it can be read: one query, one click", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("bob");
  await page.keyboard.press("/");
  await page.keyboard.type("how late");
  const first = page
    .getByRole("listitem")
    .filter({ has: page.getByRole("heading", { name: "Flights" }) })
    .first();
  await expect(first).toContainText("You can read it");
  await expect(first.getByRole("list", { name: "Why it matched" })).toContainText("delay_band");
  await first.getByRole("link", { name: "Flights" }).click();
  await expect(page).toHaveURL(/\/products\/nyc\/flights\?table=flights$/);
});

test("the page is one request, and a filter is one more", async ({ page, signedInAs }) => {
  await signedInAs("bob");
  const opened = await requests(page, () => page.goto("/?q=late"));
  expect(opened).toHaveLength(1);
  expect(JSON.parse(opened[0] ?? "")).toEqual({
    documentId: expect.stringMatching(/^[0-9a-f]{64}$/),
    variables: { text: "late", filters: null, after: null },
  });
  const filtered = await requests(page, () => page.getByRole("checkbox", { name: /^Gold/ }).click());
  expect(filtered).toHaveLength(1);
});

test("filters are in the URL and come back with it", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/?layer=gold");
  await page.getByRole("checkbox", { name: /^sales/ }).check();
  await expect(page).toHaveURL(/[?&]domain=sales/);
  await expect(page).toHaveURL(/[?&]layer=gold/);
  await page.reload();
  await settled(page);
  await expect(page.getByRole("checkbox", { name: /^sales/ })).toBeChecked();
  await page.goBack();
  await expect(page.getByRole("checkbox", { name: /^sales/ })).not.toBeChecked();
  await page.getByRole("link", { name: "Clear 1 filter" }).click();
  await expect(page.getByRole("checkbox", { name: /^Gold/ })).not.toBeChecked();
});

test("a typing error is corrected and said", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/?q=flihgts");
  await expect(page.getByText("Nothing has the word")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Flights" })).toBeVisible();
});

test("nothing found says what to do", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/?q=zzzzqqqq&layer=gold");
  await page.getByRole("link", { name: "Search without the filter" }).click();
  await page.getByRole("link", { name: "Show all products" }).click();
  await expect(
    page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Flights" }) }),
  ).toBeVisible();
});

test("a product that the viewer may not know of leaves no trace", async ({ page, signedInAs }) => {
  const answers: string[] = [];
  page.on("response", async (response) => {
    if (response.url().endsWith("/graphql")) answers.push(await response.text());
  });
  await signedInAs("dan", "/?q=customers");
  await expect(page.getByRole("heading", { name: "Customers" })).toHaveCount(0);
  await page.getByRole("searchbox").fill("");
  await settled(page);
  expect(answers.join()).not.toContain("Address for messages");
  expect(answers.join()).not.toContain('"customers"');
});

test("texts that try to be markup are text", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/?q=harbour");
  await expect(page.getByRole("heading", { name: hostile.title, exact: true })).toBeVisible();
  await expect(page.locator("main img, main script, main svg[onload]")).toHaveCount(0);
  await page.getByRole("searchbox").fill('"><img src=x onerror="window.hit=1">');
  await settled(page);
  await page.goto(
    `/?q=${encodeURIComponent("</script><script>window.hit=1</script>")}&domain=<img src=x onerror=hit=1>`,
  );
  await settled(page);
});

test("j and k move over the hits, and do nothing while typing or when switched off", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/?q=late");
  await page.keyboard.press("j");
  const first = page.locator("h2 a").first();
  await expect(first).toBeFocused();
  await page.keyboard.press("j");
  await expect(page.locator("h2 a").nth(1)).toBeFocused();
  await page.keyboard.press("k");
  await expect(first).toBeFocused();
  await page.keyboard.press("?");
  await page.getByRole("checkbox", { name: /Single keys/ }).uncheck();
  await page.keyboard.press("Escape");
  await first.focus();
  await page.keyboard.press("j");
  await expect(first).toBeFocused();
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).not.toBeFocused();
});

test("the palette leads to a product by keys alone, and Esc gives the focus back", async ({ page, signedInAs }) => {
  await signedInAs("bob");
  const box = page.getByRole("searchbox");
  await box.focus();
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await expect(box).toBeFocused();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("punctual");
  await expect(page.getByRole("option", { name: /Punctuality/ })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/products\/nyc\/punctuality$/);
  await expect(page.locator("main")).toBeFocused();
});

test("a failure shows the request id and what to do, and trying again works", async ({ page, signedInAs }) => {
  await signedInAs("bob");
  let fails = true;
  await page.route("**/graphql", (route) =>
    fails
      ? route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          headers: { "x-request-id": "request-7" },
          body: JSON.stringify({ title: "busy", detail: "the server is busy" }),
        })
      : route.fallback(),
  );
  await page.goto("/?q=late");
  await expect(page.getByRole("alert")).toContainText("The server is busy.");
  await expect(page.getByRole("alert")).toContainText("request-7");
  fails = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 2 }).first()).toBeVisible();
});
