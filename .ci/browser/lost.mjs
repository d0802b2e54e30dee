import assert from "node:assert/strict";
import { test } from "node:test";
import { row, signedIn, world } from "./world.mjs";

// The last test: the host does not come back.
test("a host that goes is told, and what is shown is marked as old", async () => {
  const tab = await signedIn();
  await row(tab.page, "web").waitFor();
  assert.equal(await tab.page.locator(".banner:not([hidden])").count(), 0);
  await world.host.die();
  await tab.page.locator(".banner:not([hidden])", { hasText: "connection" }).waitFor();
  await row(tab.page, "web").waitFor();
  assert.ok(await tab.page.evaluate(() => document.body.classList.contains("stale")));
  await tab.close();
});
