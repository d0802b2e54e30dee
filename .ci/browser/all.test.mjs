// The dashboard in a real browser, on a real host. One file, so that its tests run one after another.

import { after, before } from "node:test";
import { startBrowser } from "./browser.mjs";
import { freePort, startHost, until } from "./host.mjs";
import { services } from "./spec.mjs";
import { world } from "./world.mjs";

before(async () => {
  world.port = await freePort();
  world.browser = await startBrowser();
  world.host = await startHost(services(world.port));
  // A page that does not even start would have every test wait in vain.
  const { page, troubles, close } = await world.browser.open();
  await page.goto(world.host.url);
  await page.locator("form.signin").waitFor().catch(async (error) => {
    throw new Error(`the page does not start: ${[...(await troubles()), error.message].join("\n")}`);
  });
  await close();
  await until("the services run", async () => (await world.host.service("ticker")).health === "healthy", 30_000);
});

after(async () => {
  await world.browser?.close();
  await world.host?.stop();
});

await import("./signin.mjs");
await import("./policy.mjs");
await import("./live.mjs");
await import("./actions.mjs");
await import("./keyboard.mjs");
await import("./looks.mjs");
await import("./modules.mjs");
await import("./edits.mjs");
await import("./many.mjs");
await import("./lost.mjs");
