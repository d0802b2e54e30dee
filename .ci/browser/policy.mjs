import assert from "node:assert/strict";
import { test } from "node:test";
import { row, signedIn, world } from "./world.mjs";

test("every view loads under a strict policy, from here only, without an error", async () => {
  const answer = await fetch(world.host.url);
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
  const tab = await signedIn();
  await row(tab.page, "web").waitFor();
  for (const [at, there] of [["#/service/web", ".u-over"], ["#/service/ticker/logs", ".log-line"], ["#/service/web/events", ".event"], ["#/graph", ".node"], ["#/events", ".event"], ["#/report", ".report tbody tr"], ["#/service/no-such", "h1"], ["#/%E0%A4%A", "main"]]) {
    await tab.page.goto(`${world.host.url}/${at}`);
    await tab.page.locator(there).first().waitFor();
  }
  assert.deepEqual(await tab.troubles(), []);
  assert.deepEqual([...tab.origins], [world.host.url]);
  await tab.close();
});

test("the policy refuses what this page does not do", async () => {
  const tab = await signedIn();
  await tab.page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.body.append(script);
  });
  assert.equal(await tab.page.evaluate(() => globalThis.ran), undefined);
  assert.notDeepEqual(await tab.troubles(), [], "the test above would not see a refusal");
  await tab.close();
});
