import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./host.mjs";
import { row, signedIn, world } from "./world.mjs";

test("a killed child changes its row without a reload", async () => {
  const tab = await signedIn();
  const restarts = row(tab.page, "ticker").locator(".restarts");
  await row(tab.page, "ticker").waitFor();
  const before = Number(await restarts.textContent());
  await tab.page.evaluate(() => (globalThis.sameDocument = true));
  const { pid } = await world.host.service("ticker");
  process.kill(pid, "SIGKILL");
  await until("the row counts the restart", async () => Number(await restarts.textContent()) === before + 1);
  await until("the service runs again", async () => (await row(tab.page, "ticker").locator(".state").textContent()) === "running");
  assert.equal(await tab.page.evaluate(() => globalThis.sameDocument), true);
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("the list says how each service is, and how many are well", async () => {
  const tab = await signedIn();
  assert.equal(await tab.text('.row[data-id="crasher"] .state'), "backoff");
  assert.match(await tab.text('.row[data-id="crasher"] .reason'), /exit 3 after .*next try in .*cannot open db/);
  assert.match(await tab.text('.row[data-id="waits"] .reason'), /waits for "never"/);
  assert.equal(await tab.text('.row[data-id="web"] .health'), "healthy");
  assert.match(await tab.text(".counts"), /9 services, 7 as desired/);
  assert.match(await tab.page.title(), /^\(2\) orders-01/);
  await tab.page.locator('[data-group="bad"]').click();
  await until("only two rows are left", async () => (await tab.page.locator(".row[data-id]").count()) === 2);
  assert.match(tab.page.url(), /show=bad/);
  await tab.close();
});

// pixels counts those of a canvas whose red, green, blue and opacity lie within bounds. They are read from a copy:
// Chromium warns of canvases that are read often.
const pixels = (page, selector, n, wanted) => page.locator(selector).nth(n).evaluate((canvas, [lowest, highest]) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) if (lowest.every((low, k) => data[i + k] >= low && data[i + k] <= highest[k])) count++;
  return count;
}, wanted);

const ANY = [[0, 0, 0, 1], [255, 255, 255, 255]];
// The axes are drawn without any data too: the colour of the line of memory tells it apart.
const LINE = [[0, 0, 180, 200], [130, 130, 255, 255]];

test("charts and sparklines draw what is measured", async () => {
  const tab = await signedIn();
  const spark = '.row[data-id="ticker"] .memory canvas';
  await row(tab.page, "ticker").waitFor();
  await until("the sparkline of the list has two points", async () => (await pixels(tab.page, spark, 0, ANY)) > 2, 25_000);
  await tab.page.goto(`${world.host.url}/#/service/ticker`);
  await tab.page.locator(".chart canvas").first().waitFor();
  await until("the chart of memory has a line", async () => (await pixels(tab.page, ".chart canvas", 1, LINE)) > 3, 25_000);
  assert.match(await tab.page.locator(".chart").nth(1).getAttribute("aria-label"), /Memory: .*iB.*max .*iB/);
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("logs stream, as text, and can be searched and stopped", async () => {
  const tab = await signedIn({ at: "#/service/ticker/logs" });
  const lines = tab.page.locator(".log-line");
  await lines.first().waitFor();
  const last = () => lines.last().textContent();
  const before = await last();
  await until("new lines come", async () => (await last()) !== before);
  assert.match(await tab.text(".log-line.stdout"), /tick \d+ <b>not bold<\/b><script>/);
  assert.equal(await tab.page.locator(".log b, .log script").count(), 0);
  assert.equal(await tab.text(".log-line.stdout .ansi-2"), "tick");
  assert.match(await tab.page.title(), /ticker/);

  await tab.page.getByRole("combobox", { name: "Stream" }).selectOption("stderr");
  await until("only stderr is left", async () => (await lines.count()) > 0 && (await tab.page.locator(".log-line:not(.stderr)").count()) === 0);
  await tab.page.getByRole("combobox", { name: "Stream" }).selectOption("");
  await tab.page.locator(".logs .search-field").fill("[0-9]*3 <b>");
  await until("what is searched for is marked", async () => (await tab.page.locator(".log mark").count()) > 0 && (await tab.page.locator(".log-line.stderr").count()) === 0);
  await tab.page.locator(".logs .search-field").fill("(");
  await tab.page.locator(".logs .field-problem:not([hidden])").waitFor();
  tab.forget(); // the browser itself notes the 400
  await tab.page.locator(".logs .search-field").fill("");
  await until("all is back", async () => (await lines.count()) > 5);

  await tab.page.getByRole("button", { name: "Pause" }).click();
  const stopped = await last();
  await tab.page.locator(".log-more:not([hidden])").waitFor();
  assert.equal(await last(), stopped);
  await tab.page.locator(".log-more").click();
  await until("it follows again", async () => (await last()) !== stopped);
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("when a probe was asked last does not grow old", async () => {
  const tab = await signedIn({ at: "#/service/web" });
  const age = async () => parseInt(await tab.text(".plain tbody tr td:nth-child(4)"), 10);
  await tab.page.locator(".plain tbody tr").waitFor();
  let last = await age();
  let later = 0;
  await until("later rounds are shown, again and again", async () => {
    const now = await age();
    if (now < last) later++;
    last = now;
    return later >= 2;
  }, 30_000);
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});

test("the report says how services did, the worst first", async () => {
  const tab = await signedIn({ at: "#/report" });
  await tab.page.locator(".report tbody tr").first().waitFor();
  const rows = await tab.page.locator(".report tbody tr").allTextContents();
  const of = (id) => rows.find((r) => r.startsWith(id)) ?? "";
  assert.match(of("crasher"), /exit 3/);
  assert.match(of("ticker"), /ended by SIGKILL.*exit 1$/);
  const shares = (await tab.page.locator(".report tbody td:nth-child(2)").allTextContents()).map((text) => (text === "–" ? 101 : parseFloat(text)));
  assert.deepEqual(shares, [...shares].sort((x, y) => x - y));
  await tab.page.getByRole("button", { name: "24 hours" }).click();
  await until("the period is in the address", async () => /since=1d/.test(tab.page.url()));
  assert.deepEqual(await tab.troubles(), []);
  await tab.close();
});
