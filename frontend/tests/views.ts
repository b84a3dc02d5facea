// Views of routes, each checked in both themes and at two widths.
import type { Page } from "@playwright/test";
import { expectAccessible, expectFits, test, type Who } from "./page";

export interface View {
  name: string;
  who: Who;
  path: string;
  /** Leads from the loaded page to the view. */
  step?: (page: Page) => Promise<unknown>;
}

/** Declares tests in the light and in the dark theme. */
export function inBothThemes(tests: () => void): void {
  for (const theme of ["light", "dark"] as const) {
    test.describe(theme, () => {
      test.use({ colorScheme: theme });
      test.describe.configure({ timeout: 120_000 });
      tests();
    });
  }
}

/** Declares a test for each view: no violation, and it fits at 1280 and 320 px. */
export function checkViews(views: View[]): void {
  for (const { name, who, path, step } of views) {
    test(`${name}: no violation, and it fits at 1280 and 320 px`, async ({ page, signedInAs }) => {
      await signedInAs(who, path);
      await step?.(page);
      await expectAccessible(page, name);
      await expectFits(page);
      await page.setViewportSize({ width: 320, height: 640 });
      await expectAccessible(page, `${name}, narrow`);
      await expectFits(page);
    });
  }
}

/** Lets every GraphQL request fail in the server. */
export async function failServer(page: Page): Promise<void> {
  await page.route("**/graphql", (route) =>
    route.fulfill({
      status: 500,
      contentType: "application/problem+json",
      headers: { "x-request-id": "req-1" },
      body: JSON.stringify({ title: "internal error" }),
    }),
  );
}
