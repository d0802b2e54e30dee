import assert from "node:assert/strict";
import { test } from "node:test";
import { tokens } from "./host.mjs";
import { row, signedIn, world } from "./world.mjs";

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
