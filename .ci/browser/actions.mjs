import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./host.mjs";
import { row, signedIn, world } from "./world.mjs";

test("an action is asked for once more, done, and told", async () => {
  const tab = await signedIn({ at: "#/service/pair.1" });
  const dialog = tab.page.locator("dialog[open]");
  const { pid } = await world.host.service("pair.1");
  await tab.page.locator(".service-buttons").getByRole("button", { name: "Stop" }).click();
  await dialog.waitFor();
  assert.match((await dialog.textContent()) ?? "", /Stop pair\.1\?.*host stop pair\.1/s);
  await tab.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal((await world.host.service("pair.1")).pid, pid, "what was called off was done");

  await tab.page.locator(".service-buttons").getByRole("button", { name: "Stop" }).click();
  await dialog.locator("select").selectOption("60");
  await dialog.getByRole("button", { name: "Stop" }).click();
  await tab.page.locator(".toast.good").waitFor();
  const stopped = await world.host.service("pair.1");
  assert.equal(stopped.state, "stopped");
  assert.equal(stopped.desired_by, "operator");
  assert.ok(Math.abs(Date.parse(stopped.desired_until) - Date.now() - 3600_000) < 120_000, `stopped until ${stopped.desired_until}`);
  await until("the page shows it", async () => /stopped/.test(await tab.text(".service-head .badge")));

  await tab.page.locator(".service-buttons").getByRole("button", { name: "Start" }).click();
  await dialog.getByRole("button", { name: "Start" }).click();
  await until("it runs again", async () => (await world.host.service("pair.1")).state === "running");
  assert.equal((await world.host.service("pair.2")).restarts, 0, "the other instance was touched");
  assert.match(await tab.text(".events .event"), /operator|→|healthy/);
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("a row has its actions, and a job runs now", async () => {
  const tab = await signedIn();
  await row(tab.page, "nightly").hover();
  await row(tab.page, "nightly").getByRole("button", { name: "Run now nightly" }).click();
  await tab.page.locator("dialog[open]").getByRole("button", { name: "Run now" }).click();
  await until("it ran", async () => (await world.host.service("nightly")).runs?.length === 1);
  await tab.page.goto(`${world.host.url}/#/service/nightly`);
  await tab.page.locator("section", { hasText: "Latest runs" }).locator("tbody tr").first().waitFor();
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("instances restart one by one", async () => {
  const tab = await signedIn({ at: "#/service/pair.2" });
  const before = await Promise.all(["pair.1", "pair.2"].map(async (id) => (await world.host.service(id)).pid));
  await tab.page.getByRole("button", { name: "Restart one by one" }).click();
  await tab.page.locator("dialog[open]").getByRole("button", { name: "Restart one by one" }).click();
  await until("both are others", async () => {
    const now = await Promise.all(["pair.1", "pair.2"].map((id) => world.host.service(id)));
    return now.every((s, i) => s.state === "running" && s.pid !== before[i]);
  });
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("the host is paused and goes on", async () => {
  const tab = await signedIn();
  await tab.page.locator(".spec-buttons").getByRole("button", { name: "Pause" }).click();
  await tab.page.locator("dialog[open]").getByRole("button", { name: "Pause" }).click();
  await tab.page.locator(".spec .note", { hasText: "maintenance" }).waitFor();
  assert.equal((await world.host.status()).host.paused, true);
  await tab.page.locator(".spec-buttons").getByRole("button", { name: "Resume" }).click();
  await until("it goes on", async () => !(await world.host.status()).host.paused && (await tab.page.locator(".spec .note").count()) === 0);
  await tab.close();
});
