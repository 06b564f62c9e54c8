import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/** Guarantees what the page keeps to in every file: its policy, no secret in the browser, nothing of the server but types. */

const DASHBOARD = join(import.meta.dirname, "../../dashboard");

const sources = readdirSync(DASHBOARD, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(tsx?|html|css)$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(DASHBOARD, name), "utf8") }));

describe("no file of the page", () => {
  test.each([
    [
      "has a style or a script in it, which its policy refuses",
      /\bstyle=|<style|<script(?![^>]*src=)|dangerouslySetInnerHTML/,
    ],
    ["keeps anything in the browser", /localStorage|sessionStorage|indexedDB|document\.cookie|\bcaches\b/],
    ["names a host: what it asks is beside it", /https?:\/\/(?!www\.w3\.org\/)/],
    ["loads what only Node has", /from "node:/],
  ])("%s", (_, forbidden) => {
    expect(sources.length).toBeGreaterThan(20);
    for (const { name, text } of sources) expect(text.match(forbidden)?.[0], name).toBeUndefined();
  });

  test("has a table but that of parts/table.tsx, whose parts say what they are", () => {
    for (const { name, text } of sources.filter((each) => each.name !== join("parts", "table.tsx")))
      expect(text.match(/<(table|thead|tbody|tr|th|td)\b/)?.[0], name).toBeUndefined();
  });

  test("takes more than types from the server", () => {
    for (const { name, text } of sources)
      for (const [statement] of text.matchAll(/^(?:import|export)\b[^;]* from "(?:\.\.\/)+lambda\/[^"]*";/gm))
        expect(statement, name).toMatch(/^import type /);
  });
});
