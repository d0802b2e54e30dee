// A host of its own for the tests, with children that are real processes.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const binary = process.env.HOST_BINARY ?? fail("HOST_BINARY names no host to test");

function fail(text) {
  throw new Error(text);
}

export const tokens = { act: `act-${"a".repeat(40)}`, read: `read-${"r".repeat(40)}` };

// until waits for a condition that comes true by itself; what it says last is the error.
export async function until(what, check, ms = 15_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await check();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited in vain until ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// startHost runs services, which are YAML, and resolves when the page is served.
export async function startHost(services) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "hb-"));
  const spec = path.join(dir, "services.yaml");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const head = `host:
  name: orders-01
  http: {listen: "127.0.0.1:${port}", tokens: [{name: ops, role: act, file: act.token}, {name: eyes, role: read, file: read.token}]}
services:
`;
  const env = { ...process.env, HOST_RUN_DIR: path.join(dir, "run") };
  fs.mkdirSync(env.HOST_RUN_DIR, { mode: 0o700 });
  for (const [role, text] of Object.entries(tokens)) fs.writeFileSync(path.join(dir, `${role}.token`), `${text}\n`, { mode: 0o600 });
  const write = (text) => {
    fs.writeFileSync(`${spec}.new`, head + text);
    fs.renameSync(`${spec}.new`, spec);
  };
  write(services);
  let child;
  let ended;
  let output = "";
  async function start() {
    child = spawn(binary, ["run", "-f", spec], { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    ended = new Promise((resolve) => child.on("exit", resolve));
    await until("the host serves its page", async () => {
      if (child.exitCode !== null) throw new Error(`the host ended:\n${output}`);
      return (await fetch(`${url}/healthz`)).ok;
    }, 30_000).catch((error) => {
      child.kill("SIGKILL");
      throw new Error(`${error.message}\n${output}`);
    });
  }
  const status = () => ask("status");
  async function ask(what, options = {}) {
    const answer = await fetch(`${url}/api/v1/${what}`, { headers: { Authorization: `Bearer ${tokens.act}` }, ...options });
    if (!answer.ok) throw new Error(`${what}: HTTP ${answer.status}`);
    return answer.json();
  }
  await start();
  return {
    url,
    spec,
    write,
    status,
    head: head.split("\n").length - 1, // lines before the services
    service: async (id) => (await status()).services.find((s) => s.id === id),
    // link is the one-time sign-in that the command line gives.
    link: () => /http:\S+/.exec(execFileSync(binary, ["-f", spec, "dashboard", "--no-open"], { env }).toString())[0],
    async stop() {
      child.kill("SIGTERM");
      await ended;
      fs.rmSync(dir, { recursive: true, force: true });
    },
    // die ends it at once and keeps its folder, from which again starts it.
    again: start,
    async die() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
