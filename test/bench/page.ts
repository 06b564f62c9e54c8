import { writeFile } from "node:fs/promises";
import { cpus, totalmem, type } from "node:os";
import { basename, join } from "node:path";
import { svgOf } from "./chart.ts";
import type { Figure, Section, SectionResult } from "./section.ts";

/** Where the figures stand for readers. */
const PAGE = join(import.meta.dirname, "../../docs/performance.md");

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
  for (const { section, result } of results)
    if (result.chart !== undefined) await writeFile(chartFile(section), svgOf(result.chart));
  await writeFile(PAGE, [INTRO, machine(), ...sections].join("\n"));
}

function machine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return wrapped(
    `Measured on ${new Date().toISOString().slice(0, 10)} with Node ${process.version} on ${cpus().length} cores (${cpu?.model.trim() ?? "unknown"}), ${memory}, ${type()}.`,
  );
}

const chartFile = ({ name }: Section): string => join(PAGE, "..", `performance-${name}.svg`);

function sectionText(section: Section, { figures, chart }: SectionResult): string {
  const { title, how, limits } = section;
  const shown = chart === undefined ? "" : `![${chart.title}](${basename(chartFile(section))})\n\n`;
  const rows = figures.map(
    (figure) => `| ${figure.name.trim()} | ${figure.value} | ${figure.goal ?? ""} | ${verdictOf(figure)} |`,
  );
  return `## ${title}

${wrapped(how)}
${shown}| | | goal | |
| --- | --- | --- | --- |
${rows.join("\n")}
${limits === undefined ? "" : `\n${wrapped(limits)}`}`;
}

const WIDTH = 118;

/** A paragraph in lines. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return `${lines.join("\n")}\n`;
}

const verdictOf = ({ reached }: Figure): string =>
  reached === null ? "" : reached ? "reached" : "**not reached**";
