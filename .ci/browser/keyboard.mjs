import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./host.mjs";
import { row, signedIn } from "./world.mjs";

const focused = (page) => page.evaluate(() => document.activeElement?.closest("[data-id]")?.dataset.id ?? document.activeElement?.tagName);

test("the list is walked, filtered and opened by keys", async () => {
  const tab = await signedIn();
  const { page } = tab;
  await row(page, "web").waitFor();
  const ids = await page.locator(".row[data-id]").evaluateAll((rows) => rows.map((r) => r.dataset.id));
  await page.keyboard.press("j");
  assert.equal(await focused(page), ids[0]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  assert.equal(await focused(page), ids[1]);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: ids[1] }).waitFor();
  await page.keyboard.press("2");
  await page.locator(".log").waitFor();
  await page.keyboard.press("Escape");
  await until("the focus is back on the row", async () => (await focused(page)) === ids[1]);
  await page.keyboard.press("/");
  await page.keyboard.type("tick");
  await until("one row is left", async () => (await page.locator(".row[data-id]").count()) === 1);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "ticker" }).waitFor();
  await page.keyboard.press("?");
  await page.locator("dialog[open]", { hasText: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("d");
  await page.locator(".node").first().waitFor();
  await page.keyboard.press("ArrowRight");
  const first = await focused(page);
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await focused(page), first);
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("roles, labels and what is read out are there", async () => {
  const tab = await signedIn();
  const { page } = tab;
  await row(page, "web").waitFor();
  assert.equal(await page.getByRole("table", { name: "Services" }).getAttribute("aria-rowcount"), "10");
  assert.equal(await page.locator(".row[data-id] [tabindex='0']:is(a)").count(), 1, "one row is in the order of the Tab key");
  const bare = await page.evaluate(() => [...document.querySelectorAll("button, a, input, select")].filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML.slice(0, 120)));
  assert.deepEqual(bare, []);
  assert.equal(await page.locator("[role=status][aria-live=polite]").count(), 2);
  await page.goto(page.url().split("#")[0] + "#/graph");
  await page.locator(".node").first().waitFor();
  assert.match(await page.locator('.node[data-id="waits"]').getAttribute("aria-label"), /waits: waiting.*waits for never to be completed/);
  assert.equal(await page.locator(".edge.unmet").count(), 1);
  await tab.close();
});
