import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MockAgent } from "undici";
import { expect, test, vi } from "vitest";
import { DownloadError } from "../../src/core/errors.js";
import { download } from "../../src/weights/download/download.js";
import { get } from "../../src/weights/download/get.js";
import { isolate, newFolder, serve, serveProxy } from "./server.js";

isolate();

const fetched = async (url: string) => {
  const to = join(newFolder(), "x");
  await download(url, { to, retries: 0 });
  return readFileSync(to, "utf8");
};

test.each(["HTTP_PROXY", "http_proxy"])("%s is used for http, without a tunnel", async (variable) => {
  const proxy = await serveProxy(403);
  vi.stubEnv(variable, proxy.base);
  expect(await fetched("http://weights.invalid/a?b=1")).toBe("by the proxy: http://weights.invalid/a?b=1");
  expect(proxy.forwarded).toEqual(["http://weights.invalid/a?b=1"]);
  expect(proxy.tunnels).toEqual([]);
});

test.each(["NO_PROXY", "no_proxy"])("hosts in %s are asked straight", async (variable) => {
  const proxy = await serveProxy(403);
  const server = await serve((_, response) => response.end("straight"));
  vi.stubEnv("HTTP_PROXY", proxy.base);
  vi.stubEnv(variable, "other.example,127.0.0.1");
  expect(await fetched(`${server.base}/x`)).toBe("straight");
  expect(proxy.forwarded).toEqual([]);
});

test("HTTPS_PROXY is asked for a tunnel, and its refusal told without the password", async () => {
  for (const [status, cure] of [
    [403, /List the host in NO_PROXY/],
    [407, /asks for a login: HTTPS_PROXY=http:\/\/user:password@host:port/],
  ] as const) {
    const proxy = await serveProxy(status);
    vi.stubEnv("HTTPS_PROXY", proxy.base.replace("//", "//me:secret@"));
    const error = await fetched("https://weights.invalid/x").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DownloadError);
    const { message } = error as DownloadError;
    expect(message).toMatch(cure);
    expect(message).toContain(`the proxy in HTTPS_PROXY refuses it (status ${status})`);
    expect(message).not.toContain("secret");
    expect(proxy.tunnels).toEqual(["weights.invalid:443"]);
  }
});

test("a proxy that cannot be reached is told at once, with the variable's name", async () => {
  vi.stubEnv("HTTPS_PROXY", "http://me:secret@proxy.invalid:3128");
  const { message } = await fetched("https://weights.example/x").catch((caught) => caught);
  expect(message).toMatch(/^weights\.example cannot be reached.*proxy\.invalid; HTTPS_PROXY is set.*Check HTTPS_PROXY/);
  expect(message).not.toContain("secret");
});

test("a variable that holds no address of a proxy is named, its value not shown", async () => {
  for (const value of ["proxy.example:3128", "socks5://me:secret@proxy.example", "nonsense"]) {
    vi.stubEnv("https_proxy", value);
    const { message } = await fetched("https://weights.example/x").catch((caught) => caught);
    expect(message).toBe("https_proxy: not the address of a proxy that can be used. Write it as http://host:port.");
  }
});

test("http may be redirected to https, https not to http", async () => {
  const agent = new MockAgent();
  agent.disableNetConnect();
  const reply = (from: string, to: string) =>
    agent
      .get(from)
      .intercept({ path: "/x" })
      .reply(302, "", { headers: { location: `${to}/y` } });
  reply("http://a.example", "https://b.example");
  reply("https://b.example", "http://c.example");
  agent.get("https://b.example").intercept({ path: "/y" }).reply(200, "fine");
  const options = { headers: {}, dispatcher: agent, signal: new AbortController().signal };
  expect(await (await get(new URL("http://a.example/x"), options)).body.text()).toBe("fine");
  await expect(get(new URL("https://b.example/x"), options)).rejects.toThrow(/from https to http \(c\.example\)/);
  await agent.close();
});
