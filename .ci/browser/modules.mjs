// What can be said of single modules, in the browser that runs them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { signedIn } from "./world.mjs";

test("escape sequences become classes or nothing", async () => {
  const tab = await signedIn();
  const out = await tab.page.evaluate(async () => {
    const { pieces, plain } = await import("/assets/js/ansi.js");
    return {
      colours: pieces("\x1b[1;31mred\x1b[0m plain \x1b[38;5;46mgreen\x1b[39m"),
      rgb: pieces("\x1b[38;2;10;20;250mblue\x1b[m"),
      other: plain("\x1b]0;title\x07a\x1b[2Jb\x1b[?25lc\x1bPq#0\x1b\\d\r"),
      shown: plain("a\x07b\x00c\u202Ed\u2066e\tf"),
      torn: plain("end \x1b[3"),
    };
  });
  assert.deepEqual(out.colours, [["red", "ansi-1 ansi-bold"], [" plain ", ""], ["green", "ansi-2"]]);
  assert.deepEqual(out.rgb, [["blue", "ansi-4"]]);
  assert.equal(out.other, "abcd");
  assert.equal(out.shown, "a\u2407b\u2400c\uFFFDd\uFFFDe\tf");
  assert.equal(out.torn, "end 3");
  await tab.close();
});

test("the graph puts what starts first to the left, and nothing on another", async () => {
  const tab = await signedIn();
  const out = await tab.page.evaluate(async () => {
    const { layers, heights } = await import("/assets/js/layers.js");
    const edges = [["api", "db"], ["api", "cache"], ["web", "api"], ["web", "db"], ["job", "db"]].map(([from, to]) => ({ from, to }));
    const plan = layers(["web", "api", "db", "cache", "job"], edges);
    const y = heights(plan, 50, (id) => id.startsWith("\0"));
    const circle = layers(["a", "b"], [{ from: "a", to: "b" }, { from: "b", to: "a" }]);
    return {
      layer: Object.fromEntries(["web", "api", "db", "cache", "job"].map((id) => [id, plan.place.get(id).layer])),
      bends: [...plan.paths.values()].map((p) => p.length),
      gaps: plan.rows.map((row) => row.slice(1).map((id, i) => y.get(id) - y.get(row[i]))).flat(),
      circle: circle.rows.flat().length,
    };
  });
  assert.deepEqual(out.layer, { db: 0, cache: 0, api: 1, job: 1, web: 2 });
  assert.deepEqual(out.bends.sort(), [2, 2, 2, 2, 3]);
  assert.ok(out.gaps.every((g) => g >= 34.9), `gaps ${out.gaps}`);
  assert.equal(out.circle, 2);
  await tab.close();
});

test("health over time is told from the events", async () => {
  const tab = await signedIn();
  const out = await tab.page.evaluate(async () => {
    const { phases } = await import("/assets/js/timeline.js");
    const at = (min) => new Date(min * 60_000).toISOString();
    const running = { pid: 1, state: "running", health: "healthy" };
    const events = [{ time: at(1), kind: "state", to: "starting" }, { time: at(2), kind: "state", to: "running" }, { time: at(3), kind: "healthy" }, { time: at(5), kind: "unhealthy" }, { time: at(6), kind: "recovered" }, { time: at(8), kind: "exited" }, { time: at(9), kind: "state", to: "starting" }, { time: at(9.5), kind: "healthy" }];
    const minutes = (list) => list.map(([a, b, kind]) => [a / 60_000, b / 60_000, kind]);
    return { all: minutes(phases(events, running, 0, 600_000)), late: minutes(phases(events, running, 420_000, 600_000)), none: minutes(phases([], running, 0, 60_000)) };
  });
  assert.deepEqual(out.all, [[0, 1, "unknown"], [1, 3, "starting"], [3, 5, "healthy"], [5, 6, "unhealthy"], [6, 8, "healthy"], [8, 9, "down"], [9, 9.5, "starting"], [9.5, 10, "healthy"]]);
  assert.deepEqual(out.late[0], [7, 8, "healthy"]);
  assert.deepEqual(out.none, [[0, 1, "healthy"]]);
  await tab.close();
});
