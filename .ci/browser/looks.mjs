import assert from "node:assert/strict";
import { test } from "node:test";
import { picture } from "./browser.mjs";
import { until } from "./host.mjs";
import { row, signedIn, world } from "./world.mjs";

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((n, c) => n + Number(c), 0));

test("Chinese is spoken where it is chosen, and stays", async () => {
  const tab = await signedIn();
  const { page } = tab;
  await row(page, "web").waitFor();
  assert.equal(await tab.text(".views a"), "Services");
  await page.getByRole("button", { name: "中文" }).click();
  assert.equal(await tab.text(".views a"), "服务");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  await row(page, "web").waitFor();
  assert.equal(await tab.text('.row[data-id="web"] .state'), "运行中");
  assert.match(await tab.text(".counts"), /9 个服务/);
  await page.reload();
  await row(page, "web").waitFor();
  assert.equal(await tab.text(".views a"), "服务");
  await picture(page, "list-zh");
  await page.getByRole("button", { name: "English" }).click();
  assert.equal(await tab.text(".views a"), "Services");
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
  const chinese = await signedIn({ lang: "zh-CN" });
  assert.equal(await chinese.text(".views a"), "服务");
  await chinese.close();
});

test("light and dark follow the system, and the switch", async () => {
  for (const theme of ["light", "dark"]) {
    const tab = await signedIn({ theme });
    await row(tab.page, "web").waitFor();
    assert.equal((await ground(tab.page)) < 200, theme === "dark");
    await picture(tab.page, `list-${theme}`);
    for (const [name, at, there] of [["service", "#/service/web", ".plain tbody tr"], ["graph", "#/graph", ".node"], ["logs", "#/service/ticker/logs", ".log-line"]]) {
      await tab.page.goto(`${world.host.url}/${at}`);
      await tab.page.locator(there).first().waitFor();
      await picture(tab.page, `${name}-${theme}`);
    }
    assert.deepEqual(await tab.troubles(), []);
    await tab.close();
  }
  const tab = await signedIn({ theme: "light" });
  const button = tab.page.getByRole("button", { name: /^Theme/ });
  await button.click(); // light
  await button.click(); // dark
  assert.ok((await ground(tab.page)) < 200);
  await tab.page.reload();
  await row(tab.page, "web").waitFor();
  assert.ok((await ground(tab.page)) < 200, "the choice was not kept");
  await tab.close();
});

test("it fits on a phone", async () => {
  const tab = await signedIn({ width: 360, height: 740 });
  for (const at of ["", "#/service/web", "#/service/ticker/logs", "#/events", "#/graph", "#/report"]) {
    await tab.page.goto(`${world.host.url}/${at}`);
    await tab.page.locator("main .panel").first().waitFor();
    await until("nothing hangs over the edge", () => tab.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 5000).catch((error) => {
      throw new Error(`${at}: ${error.message}`);
    });
  }
  await tab.page.goto(world.host.url);
  await row(tab.page, "crasher").waitFor();
  await picture(tab.page, "list-phone");
  await tab.close();
});
