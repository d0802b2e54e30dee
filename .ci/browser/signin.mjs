import assert from "node:assert/strict";
import { test } from "node:test";
import { tokens } from "./host.mjs";
import { row, signedIn, world } from "./world.mjs";

test("nothing is shown and nothing is done before the sign-in", async () => {
  const { page, context, close, text } = await world.browser.open();
  await page.goto(world.host.url);
  await page.locator("form.signin").waitFor();
  assert.match(await text(".signin"), /host dashboard/);
  assert.equal(await page.locator("[data-id]").count(), 0);
  assert.equal((await context.request.get(`${world.host.url}/api/v1/status`)).status(), 401);
  const before = (await world.host.service("web")).pid;
  const acted = await context.request.post(`${world.host.url}/api/v1/act`, { data: { verb: "restart", names: ["web"] }, headers: { "X-Host-Action": "1", Origin: world.host.url } });
  assert.ok([401, 403].includes(acted.status()), `an action without a sign-in was answered with ${acted.status()}`);
  assert.equal((await world.host.service("web")).pid, before);
  await close();
});

test("a wrong token is told so, and a right one leads in", async () => {
  const { page, close, text, troubles, forget } = await world.browser.open();
  await page.goto(world.host.url);
  await page.locator("input[name=token]").fill("wrong");
  await page.keyboard.press("Enter");
  await page.locator("#signin-problem").waitFor();
  assert.notEqual(await text("#signin-problem"), "");
  forget(); // the browser itself notes the 401
  await page.locator("input[name=token]").fill(tokens.act);
  await page.keyboard.press("Enter");
  await row(page, "web").waitFor();
  assert.deepEqual(await troubles(), []);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.locator("form.signin").waitFor();
  await page.reload();
  await page.locator("form.signin").waitFor();
  await close();
});

test("the link of host dashboard signs in once", async () => {
  const link = world.host.link();
  const one = await world.browser.open();
  await one.page.goto(link);
  await row(one.page, "web").waitFor();
  await one.close();
  const two = await world.browser.open();
  await two.page.goto(link);
  await two.page.goto(world.host.url);
  await two.page.locator("form.signin").waitFor();
  await two.close();
});

test("a token to read with shows no actions, and none are done for it", async () => {
  const { page, close } = await signedIn({ role: "read" });
  await row(page, "web").waitFor();
  assert.equal(await page.locator(".row-actions button, .spec-buttons button").count(), 0);
  await page.goto(`${world.host.url}/#/service/web`);
  await page.locator("h1", { hasText: "web" }).waitFor();
  assert.equal(await page.locator(".service-buttons button").count(), 0);
  const status = await page.evaluate(async () => (await fetch("/api/v1/act", { method: "POST", headers: { "Content-Type": "application/json", "X-Host-Action": "1" }, body: JSON.stringify({ verb: "restart", names: ["web"] }) })).status);
  assert.equal(status, 403);
  await close();
});
