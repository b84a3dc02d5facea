import { expect, settled, test } from "./page";

test("a link signs in, leaves the address bar, and leads where one wanted to go", async ({ page }) => {
  await page.goto("/?q=late");
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.goto(`${page.url()}#code=bob`);
  await expect(page).toHaveURL(/\/\?q=late$/);
  await settled(page);
  await expect(page.getByRole("button", { name: "Signed in as bob" })).toBeVisible();
  expect(await page.evaluate(() => document.cookie)).toBe("");
});

test("a wrong code is refused and says what to do", async ({ page }) => {
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("Type the code");
  await page.getByLabel("Code").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("The code is wrong, used already, or too old.")).toBeVisible();
  await page.getByLabel("Code").fill("bob");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/$/);
});

test("sign-in never leads to another site", async ({ page }) => {
  for (const next of ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:window.hit=1"]) {
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}#code=bob`);
    await page.waitForURL((url) => url.pathname === "/");
    expect(new URL(page.url()).origin).toBe(process.env.PAGE_URL);
  }
});

test("signing out ends the session, and nothing of it is left", async ({ page, signedInAs }) => {
  await signedInAs("ann");
  await page.getByRole("button", { name: "Signed in as ann" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await expect(page.getByRole("button", { name: /^Signed in as/ })).toHaveCount(0);
  await page.goto("/");
  await expect(page).toHaveURL(/\/sign-in/);
});

test("the chosen appearance stays", async ({ page, signedInAs }) => {
  await signedInAs("bob");
  await page.getByRole("button", { name: "Appearance and keys" }).click();
  await page.getByRole("radio", { name: "Dark" }).check();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.reload();
  await settled(page);
  expect(await background()).toBe(dark);
  await page.getByRole("button", { name: "Appearance and keys" }).click();
  await page.getByRole("radio", { name: "Light" }).check();
  expect(await background()).not.toBe(dark);
});

test("the policy of the page allows nothing from elsewhere and nothing inline", async ({ page }) => {
  const response = await page.goto("/sign-in");
  expect(response?.headers()["content-security-policy"]).toContain(
    "default-src 'none'; script-src 'self'; style-src 'self'",
  );
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).origin));
  await page.reload();
  await settled(page);
  expect(new Set(asked)).toEqual(new Set([process.env.PAGE_URL]));
});
