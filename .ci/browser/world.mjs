// What the tests share: one browser and one host.

import { tokens } from "./host.mjs";

export const world = {};

// signedIn opens a page that is signed in with the token of a role, at a place of it.
export async function signedIn({ role = "act", at = "", ...options } = {}) {
  const tab = await world.browser.open(options);
  const answer = await tab.context.request.post(`${world.host.url}/api/v1/signin`, { data: { token: tokens[role] }, headers: { Origin: world.host.url, "X-Host-Action": "1" } });
  if (!answer.ok()) throw new Error(`cannot sign in: ${answer.status()} ${await answer.text()}`);
  await tab.page.goto(`${world.host.url}/${at}`);
  await tab.page.locator("main h1, main [data-id]").first().waitFor();
  return tab;
}

export const row = (page, id) => page.locator(`.row[data-id="${id}"]`);
