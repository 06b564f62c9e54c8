import { Agent, createServer, request } from "node:http";
import { listen } from "../../local/listen.ts";

/** Passes each request on as it is and does nothing else, in a process of its own: prints its port. */
const upstream = process.argv[2] ?? "";
const agent = new Agent({ keepAlive: true });
const server = createServer({ keepAliveTimeout: 65_000 }, (incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const passed = request(`${upstream}${url}`, { method, headers, agent }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  passed.on("error", () => outgoing.destroy());
  incoming.pipe(passed);
});
console.log(await listen(server, 0));
