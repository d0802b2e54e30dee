// Chromium, and pages of it that remember what went wrong on them.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

function executable() {
  if (process.env.HOST_CHROMIUM) return process.env.HOST_CHROMIUM;
  for (const name of names) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`]).toString().trim();
    } catch {
      // the next one
    }
  }
  throw new Error(`none of ${names.join(", ")} is installed`);
}

// startBrowser opens an empty profile, so that nothing of this machine's owner plays a part.
export async function startBrowser() {
  const browser = await chromium.launch({ executablePath: executable(), args: flags });
  return { open: (options) => open(browser, options), close: () => browser.close(), browser };
}

async function open(browser, { theme = "light", lang = "en-US", width = 1360, height = 860 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: lang, timezoneId: "UTC" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const troubles = [];
  const origins = new Set();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && troubles.push(m.text()));
  page.on("pageerror", (e) => troubles.push(String(e.stack ?? e)));
  page.on("request", (r) => origins.add(new URL(r.url()).origin));
  await page.addInitScript(() => {
    globalThis.refusals = [];
    addEventListener("securitypolicyviolation", (e) => globalThis.refusals.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
  });
  return {
    page,
    context,
    origins,
    // troubles are errors and warnings of the console, exceptions, and what the policy refused.
    troubles: async () => [...troubles, ...(await page.evaluate(() => globalThis.refusals))],
    forget: () => troubles.splice(0),
    close: () => context.close(),
    // text is what an element shows.
    text: async (selector) => ((await page.locator(selector).first().textContent()) ?? "").trim(),
  };
}

// pictures is where screenshots go.
export const pictures = process.env.HOST_PICTURES ?? path.join(os.tmpdir(), "host-dashboard-pictures");
fs.mkdirSync(pictures, { recursive: true });
export const picture = (page, name) => page.screenshot({ path: path.join(pictures, `${name}.png`) });
