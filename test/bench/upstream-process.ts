import { createServer } from "node:http";
import { listen } from "../../local/listen.ts";

/** A vendor that answers at once with a new PaymentIntent, in a process of its own: prints its port. */
let made = 0;
const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.resume();
  request.on("end", () => {
    const body = JSON.stringify({
      id: `pi_bench${process.pid}x${++made}`,
      object: "payment_intent",
      amount: 100,
      amount_capturable: 0,
      amount_received: 0,
      currency: "usd",
      status: "requires_payment_method",
    });
    const headers = { "Content-Type": "application/json", "Request-Id": `req_bench${made}` };
    response.writeHead(200, { ...headers, "Content-Length": Buffer.byteLength(body) }).end(body);
  });
});
console.log(await listen(server, 0));
