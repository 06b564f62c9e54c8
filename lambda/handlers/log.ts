/**
 * Lines of JSON for CloudWatch, each with its level, time and service.
 *
 * Levels and service come from the environment variables that Powertools for Lambda names; INFO where none is set
 * (docs.aws.amazon.com/powertools/typescript/latest/features/logger, read 2026-11-28). Its logger would be 23 KB of each bundle.
 */
const LEVELS: readonly string[] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "SILENT"];

type Level = "INFO" | "WARN";

/**
 * Writes one line, where the environment asks for lines of this level: a warning to stderr, so that it stands between nothing that
 * a program reads. Lambda collects both. `fields` never has one of the four of each line.
 */
export function log(level: Level, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const least = LEVELS.indexOf(process.env["POWERTOOLS_LOG_LEVEL"]?.toUpperCase() || "INFO");
  if (LEVELS.indexOf(level) < least) return;
  const service = process.env["POWERTOOLS_SERVICE_NAME"] ?? "";
  const line = { level, message, timestamp: new Date().toISOString(), service, ...fields };
  const stream = level === "WARN" ? process.stderr : process.stdout;
  stream.write(`${JSON.stringify(line)}\n`);
}
