import assert from "node:assert/strict";
import { test } from "node:test";
import { picture } from "./browser.mjs";
import { startHost, until } from "./host.mjs";
import { row, signedIn, world } from "./world.mjs";

const MANY = 1000;
// LONGEST is processor time of one task of the page: wall time would measure what else this machine does.
const LONGEST = 120; // ms

const name = (i) => `svc-${String(i).padStart(4, "0")}`;

test("a thousand services scroll, and change while they do", { timeout: 120_000 }, async () => {
  const former = world.host;
  world.host = await startHost(Array.from({ length: MANY }, (_, i) => `  ${name(i + 1)}: {command: [sleep, "1000"], restart: {delay: 100ms}}\n`).join(""));
  try {
    await until("all run", async () => (await world.host.status()).services.every((s) => s.state === "running"), 60_000);
    const tab = await signedIn();
    const { page } = tab;
    await row(page, name(1)).waitFor();
    await until("the page knows all", async () => /1000 services/.test(await tab.text(".counts")));
    await world.browser.browser.startTracing(page, { categories: ["toplevel"] });
    const frames = await page.evaluate(async () => {
      const out = [];
      let most = 0;
      let last = performance.now();
      for (let way = 1, n = 0; n < 160; n++) {
        scrollBy(0, 400 * way);
        if (scrollY + innerHeight >= document.documentElement.scrollHeight - 2) way = -1;
        else if (scrollY === 0) way = 1;
        const now = await new Promise((resolve) => requestAnimationFrame(resolve));
        out.push(now - last);
        last = now;
        most = Math.max(most, document.querySelectorAll(".row[data-id]").length);
        if (n === 100) history.replaceState(null, "", "#/?q="); // as typing does
      }
      out.sort((a, b) => a - b);
      return { middle: out[out.length >> 1], late: out[Math.floor(out.length * 0.95)], worst: out.at(-1), most };
    });
    const trace = JSON.parse((await world.browser.browser.stopTracing()).toString());
    const tasks = mainThread(trace.traceEvents).sort((a, b) => b - a);
    console.log(`160 frames of 10 rows each: middle ${frames.middle.toFixed(0)} ms, 95% ${frames.late.toFixed(0)} ms, worst ${frames.worst.toFixed(0)} ms; longest tasks, processor: ${tasks.slice(0, 5).map((d) => d.toFixed(0)).join(", ")} ms of ${tasks.length}; ${frames.most} rows at most`);
    assert.ok(tasks.length > 200, `the trace has ${tasks.length} tasks only`);
    assert.ok(tasks[0] < LONGEST, `a task of ${tasks[0].toFixed(0)} ms`);
    assert.ok(frames.most < 80, `${frames.most} rows exist at once`);

    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await row(page, name(MANY)).waitFor();
    process.kill((await world.host.service(name(MANY))).pid, "SIGKILL");
    await until("the last row counts its restart", async () => (await row(page, name(MANY)).locator(".restarts").textContent()) === "1");
    await picture(page, "thousand");
    await page.keyboard.press("/");
    await page.keyboard.type("svc-0777");
    await until("the filter finds one", async () => (await page.locator(".row[data-id]").count()) === 1);
    await page.goto(`${world.host.url}/#/graph`);
    await until("the graph names all", async () => (await page.locator(".alone .chip").count()) === MANY);
    assert.deepEqual(await tab.troubles(), []);
    await tab.close();
  } finally {
    await world.host.stop();
    world.host = former;
  }
});

// mainThread is the processor time of each task of the page's own thread, in ms.
function mainThread(events) {
  const named = events.filter((e) => e.name === "thread_name" && e.args?.name === "CrRendererMain").map((e) => `${e.pid}/${e.tid}`);
  const busy = new Map();
  for (const e of events) {
    const key = `${e.pid}/${e.tid}`;
    if (e.ph !== "X" || !named.includes(key) || !/RunTask$/.test(e.name)) continue;
    busy.set(key, [...(busy.get(key) ?? []), (e.tdur ?? e.dur ?? 0) / 1000]);
  }
  return [...busy.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}
