import { writeFile } from "node:fs/promises";
import { cpus, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Figure, Section, SectionResult } from "./section.ts";

/** Where the figures stand for readers. */
export const PAGE = join(import.meta.dirname, "../../docs/performance.md");

const INTRO = `# Performance

\`npm run bench\` made this page. It measures one version on one machine in one run. Machines differ and are noisy, so
look at the ratios, not at the milliseconds.

\`\`\`sh
npm run bench                                  # all of it, some minutes
npm run bench -- --write                       # and writes this page
npm run bench -- --only consumer --lanes 40    # one section, with other numbers
npm run bench -- --help                        # the sections and their numbers
npm run bench -- --peers                       # and LiteLLM's pass-through beside it
\`\`\`
`;

/** Writes the page of all sections that were run. */
export async function writePage(
  results: readonly { readonly section: Section; readonly result: SectionResult }[],
): Promise<void> {
  const sections = results.map(({ section, result }) => sectionText(section, result));
  await writeFile(PAGE, [INTRO, machine(), ...sections].join("\n"));
}

function machine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `Measured on ${new Date().toISOString().slice(0, 10)} with Node ${process.version} on ${cpus().length} cores (${cpu?.model.trim() ?? "unknown"}), ${memory}, ${type()}.
`;
}

function sectionText({ title, how, limits }: Section, { figures }: SectionResult): string {
  const rows = figures.map(
    (figure) => `| ${figure.name.trim()} | ${figure.value} | ${figure.goal ?? ""} | ${verdictOf(figure)} |`,
  );
  return `## ${title}

${how}

| | | goal | |
| --- | --- | --- | --- |
${rows.join("\n")}
${limits === undefined ? "" : `\n${limits}\n`}`;
}

const verdictOf = ({ reached }: Figure): string =>
  reached === null ? "" : reached ? "reached" : "**not reached**";
