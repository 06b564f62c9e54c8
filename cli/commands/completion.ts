import { buildCommand } from "@stricli/core";
import { SCRIPTS, SHELLS, type Shell } from "../completion-scripts.ts";
import type { Cli } from "../context.ts";

export const completion = buildCommand<NonNullable<unknown>, [Shell], Cli>({
  docs: {
    brief: "print a script that completes commands in a shell",
    fullDescription:
      'Prints a script for bash, zsh or fish. In bash: eval "$(keybrake completion bash)"\n' +
      "docs/cli.md says where each shell keeps it.",
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        {
          parse: shellOf,
          brief: SHELLS.join(", "),
          placeholder: "SHELL",
          proposeCompletions: (partial: string) => SHELLS.filter((shell) => shell.startsWith(partial)),
        },
      ],
    },
  },
  func(_flags, shell) {
    this.screen.line(SCRIPTS[shell].trimEnd());
  },
});

function shellOf(input: string): Shell {
  const shell = SHELLS.find((name) => name === input);
  if (shell === undefined) throw new RangeError(`expected ${SHELLS.join(", ")}`);
  return shell;
}
