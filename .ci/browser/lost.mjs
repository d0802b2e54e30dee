import assert from "node:assert/strict";
import { test } from "node:test";
import { tokens, until } from "./host.mjs";
import { row, signedIn, world } from "./world.mjs";

test("a page out of sight lets go of its streams, and takes them up again", async () => {
  const tab = await signedIn({ at: "#/service/web/logs" });
  const { page } = tab;
  await page.locator(".log").waitFor();
  await page.clock.install();
  const look = (hidden) => page.evaluate((now) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => now });
    dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  const gone = [];
  page.on("requestfailed", (r) => gone.push(new URL(r.url()).pathname));
  await look(true);
  await page.clock.runFor(4 * 60_000);
  assert.deepEqual(gone, []);
  await page.clock.runFor(2 * 60_000);
  await until("both streams are closed", () => gone.length === 2);
  assert.deepEqual(gone.sort(), ["/api/v1/live", "/api/v1/logs"]);
  const again = Promise.all(["live", "logs"].map((name) => page.waitForRequest((r) => r.url().includes(`/api/v1/${name}`))));
  await look(false);
  await again;
  assert.equal(await page.locator(".banner:not([hidden])").count(), 0);
  await tab.close();
});

test("a host that goes is told, and what is shown is marked as old until it is back", async () => {
  const tab = await signedIn();
  await row(tab.page, "web").waitFor();
  assert.equal(await tab.page.locator(".banner:not([hidden])").count(), 0);
  await world.host.die();
  await tab.page.locator(".banner:not([hidden])", { hasText: "connection" }).waitFor();
  await row(tab.page, "web").waitFor();
  assert.ok(await tab.page.evaluate(() => document.body.classList.contains("stale")));
  // It knows no sessions any more, and asks for the token.
  await world.host.again();
  await tab.page.locator("form.signin").waitFor({ timeout: 30_000 });
  assert.equal(await tab.page.locator(".banner:not([hidden])").count(), 0);
  await tab.page.locator("input[name=token]").fill(tokens.act);
  await tab.page.keyboard.press("Enter");
  await row(tab.page, "web").waitFor();
  assert.equal(await tab.page.evaluate(() => document.body.classList.contains("stale")), false);
  await tab.close();
});
