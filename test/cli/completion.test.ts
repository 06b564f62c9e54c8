import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SHELLS } from "../../cli/completion-scripts.ts";
import { REPOSITORY } from "../docs/markdown.ts";
import { cli } from "../support/cli.ts";

/** Guarantees that Tab proposes what fits, in the shells themselves where this machine has them. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-completion-"));
  const program = `#!/bin/sh\nexec '${process.execPath}' '${join(REPOSITORY, "bin/cli.js")}' "$@"\n`;
  await writeFile(join(folder, "keybrake"), program);
  await chmod(join(folder, "keybrake"), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

function shell(name: string, ...rest: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(name, rest, {
    encoding: "utf8",
    env: { HOME: folder, PATH: `${folder}${delimiter}${process.env["PATH"]}`, TERM: "dumb" },
  });
  return { status, stdout, stderr };
}

const has = (name: string): boolean => spawnSync(name, ["--version"]).error === undefined;

test.each(SHELLS.map((name) => [name, has(name)] as const))(
  "the script for %s is valid",
  async (name, isThere) => {
    const { code, stdout } = await cli(["completion", name]);
    const file = join(folder, `script.${name}`);
    await writeFile(file, stdout);

    expect(code).toBe(0);
    expect(stdout).toContain(`keybrake --complete ${name} `);
    if (isThere) expect(shell(name, "-n", file)).toEqual({ status: 0, stdout: "", stderr: "" });
  },
);

test("another shell is refused with those that there are", async () => {
  expect(await cli(["completion", "tcsh"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("bash, zsh, fish"),
  });
});

describe("what is proposed", () => {
  test.each([
    ["a command", ["iss"], ["issue"]],
    ["a flag", ["issue", "--per"], ["--per-call-cap"]],
    ["a vendor", ["issue", "--vendor", "st"], ["stripe"]],
    ["a state", ["audit", "--state", "un"], ["unresolved"]],
    ["a shell", ["completion", "f"], ["fish"]],
    ["nothing for the job itself", ["run", "--cap", "5", "--", "py"], []],
  ])("%s", async (_, words, expected) => {
    const { stdout } = await cli(["--complete", "bash", ...words]);

    expect(stdout.split("\n").filter((line) => line !== "")).toEqual(expected);
  });

  test("has a few words for shells that show them", async () => {
    expect((await cli(["--complete", "fish", "iss"])).stdout).toBe("issue\tissue a vault key\n");
    expect((await cli(["--complete", "zsh", "iss"])).stdout).toBe("issue:issue a vault key\n");
  });
});

describe("in the shell", () => {
  test.runIf(has("bash"))("bash fills in what fits", async () => {
    const { stdout } = await cli(["completion", "bash"]);
    const asked = `${stdout}
      COMP_WORDS=(keybrake issue --ven); COMP_CWORD=2; _keybrake; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(keybrake issue --vendor ""); COMP_CWORD=3; _keybrake; echo "\${COMPREPLY[@]}"`;

    expect(shell("bash", "--norc", "--noprofile", "-c", asked)).toEqual({
      status: 0,
      stdout: "--vendor\nstripe twilio resend\n",
      stderr: "",
    });
  });

  test.runIf(has("fish"))("fish fills in what fits", async () => {
    const { stdout } = await cli(["completion", "fish"]);

    expect(shell("fish", "--no-config", "-c", `${stdout}\ncomplete -C 'keybrake compl'`).stdout).toBe(
      "completion\tprint a script that completes commands in a shell\n",
    );
  });
});
