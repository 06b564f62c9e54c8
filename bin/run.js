/**
 * `node bin/run.js <program>`: starts bin/<program>.ts, and says in one line what is missing where it cannot.
 *
 * JavaScript of before and without imports, since it runs before `npm ci`, and on a Node that knows no TypeScript.
 */

/** The first that runs these programs as they are. */
const NODE_MAJOR_MIN = 24;

const program = process.argv[2];
// The program sees its own arguments alone, as if it had been started by itself.
process.argv.splice(1, 2, `bin/${program}.ts`);

function start() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= NODE_MAJOR_MIN) return import(`./${program}.ts`);
  const message =
    `this is Node ${process.versions.node}, and Keybrake needs Node ${NODE_MAJOR_MIN}: run \`npm ci\`, whose install script provides it ` +
    "(so without --ignore-scripts), and start with npm; or install Node 24 or newer";
  return Promise.reject(Object.assign(new Error(message), { name: "StartError" }));
}

function problemOf(error) {
  const { name, code, message } = Object(error);
  if (name === "StartError") return message;
  if (code !== "ERR_MODULE_NOT_FOUND") return undefined;
  const missing = /^Cannot find package '([^']+)'/.exec(message);
  return missing === null ? undefined : `the package ${missing[1]} is not installed: run \`npm ci\` first`;
}

start().catch((error) => {
  const problem = problemOf(error);
  if (problem === undefined) throw error;
  console.error(`keybrake cannot start: ${problem}`);
  process.exitCode = 1;
});
