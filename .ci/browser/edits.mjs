import assert from "node:assert/strict";
import { test } from "node:test";
import { picture } from "./browser.mjs";
import { until } from "./host.mjs";
import { fewer, services } from "./spec.mjs";
import { row, signedIn, world } from "./world.mjs";

test("a rejected edit shows each problem at its line, until it is mended", async () => {
  const tab = await signedIn();
  const good = services(world.port);
  const bad = good.replace("restart: {delay: 100ms}", "restart: {dleay: 100ms}").replace('description: A web server', 'description: A web server\n    comand: x');
  const line = (text) => world.host.head + bad.slice(0, bad.indexOf(text)).split("\n").length;
  world.host.write(bad);
  await tab.page.locator(".spec.bad .problems li").first().waitFor();
  const shown = await tab.page.locator(".problems li").allTextContents();
  assert.equal(shown.length, 2, shown.join("\n"));
  assert.match(shown[0], new RegExp(`services\\.yaml:${line("comand")}:\\d+.*services\\.web\\.comand.*command`, "s"));
  assert.match(shown[1], new RegExp(`services\\.yaml:${line("dleay")}:\\d+.*dleay.*delay`, "s"));
  assert.match(await tab.text(".spec"), /rejected/);
  await picture(tab.page, "rejected");
  world.host.write(good);
  await until("the problems are gone", async () => (await tab.page.locator(".problems").count()) === 0 && /applied/.test(await tab.text(".spec")));
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("an edit that removes much is shown field by field, and applied when it is confirmed", async () => {
  const tab = await signedIn();
  world.host.write(fewer(world.port).replace("description: A web server", "description: The web server"));
  await tab.page.locator(".spec .change").first().waitFor();
  const text = await tab.text(".spec-plan");
  assert.match(text, /remove.*ticker/s);
  assert.match(text, /update.*web.*description.*A web server.*The web server/s);
  assert.ok(await world.host.service("ticker"), "it was applied before it was confirmed");
  await picture(tab.page, "pending");
  await tab.page.getByRole("button", { name: "Confirm and apply" }).click();
  await tab.page.locator("dialog[open]").getByRole("button", { name: "Confirm and apply" }).click();
  await until("it is applied", async () => (await world.host.status()).services.length === 1, 30_000);
  await until("its row is gone", async () => (await row(tab.page, "ticker").count()) === 0 && (await tab.page.locator(".change").count()) === 0);
  await until("what is said of the other is new", async () => (await tab.text('.row[data-id="web"] .about')) === "The web server");
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});
