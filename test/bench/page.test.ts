import { expect, test } from "vitest";
import { textOf } from "../docs/markdown.ts";
import { SECTIONS } from "./sections.ts";

/** Guarantees that docs/performance.md has every section of the bench, in its order, as it is written there. */
test("the page has the sections of the bench", () => {
  const titles = [...textOf("docs/performance.md").matchAll(/^## (.*)$/gm)].map(([, title]) => title);

  expect(titles).toEqual(SECTIONS.map(({ title }) => title));
});
