import { startDynamoDb } from "./local/aws/dynamodb.ts"; import { TABLES } from "./local/aws/tables.ts"; import { startStreamTrim } from "./local/aws/stream-trim.ts";
import { Agent, request } from "node:http"; import { readFileSync, readdirSync } from "node:fs"; import { randomBytes } from "node:crypto";
const mode = process.argv[2]!; const N = Number(process.argv[3]);
const d = await startDynamoDb({}); const u = new URL(d.endpoint); const agent = new Agent({ keepAlive: true });
const trim = startStreamTrim({ file: d.engineFile!, table: TABLES[0].name, announce: console.error });
const call = (op: string, body: object) => new Promise<string>((ok, no) => { const r = request({ agent, host: u.hostname, port: u.port, method: "POST", headers: { "x-amz-target": "DynamoDB_20120810." + op, "content-type": "application/x-amz-json-1.0", authorization: "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x", "x-amz-date": "20260101T000000Z" } }, (res) => { let s = ""; res.on("data", (c) => (s += c)); res.on("end", () => (res.statusCode === 200 ? ok(s) : no(new Error(s)))); }); r.on("error", no); r.end(JSON.stringify(body)); });
const eng = readdirSync("/proc").filter((n) => /^\d+$/.test(n)).find((n) => { try { return readFileSync(`/proc/${n}/cmdline`, "utf8").includes(d.data!.file) && readFileSync(`/proc/${n}/comm`, "utf8").startsWith("dynoxide"); } catch { return false; } });
const cpu = () => { const st = readFileSync(`/proc/${eng}/stat`, "utf8"); const f = st.slice(st.lastIndexOf(")") + 2).split(" "); return (+f[11]! + +f[12]!) * 10; };
const rss = () => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${eng}/status`, "utf8"))![1];
let c0 = cpu(); const B = N / 10; let seq = 1; let t = performance.now();
await call("PutItem", { TableName: TABLES[0].name, Item: { pk: { S: "BAL" }, sk: { S: "B" }, n: { N: "0" } } });
for (let i = 1; i <= N; i++) {
  const id = randomBytes(12).toString("hex"), pad = "v".repeat(600);
  if (mode === "vault" || mode === "all") {
    await call("UpdateItem", { TableName: TABLES[0].name, Key: { pk: { S: "BAL" }, sk: { S: "B" } }, UpdateExpression: "SET n = n + :o, x = :x", ExpressionAttributeValues: { ":o": { N: "1" }, ":x": { S: id } } });
    await call("PutItem", { TableName: TABLES[0].name, Item: { pk: { S: "CALL#" + id }, sk: { S: "CALL" }, p: { S: pad }, ttl: { N: "1999999999" } } });
    seq += 2; if (i % 50 === 0) trim.delivered(`shardId-00000001-${TABLES[0].name}`, String(seq), 100);
  }
  if (mode === "audit" || mode === "all") {
    await call("PutItem", { TableName: TABLES[1].name, Item: { pk: { S: id }, sk: { S: "x" }, p: { S: pad }, key_shard: { S: "k" + (i % 8) }, vendor_shard: { S: "v" + (i % 8) }, label_shard: { S: "l" + (i % 8) }, label_group_shard: { S: "g" + (i % 8) }, at_id: { S: String(1e12 + i) + id } } });
  }
  if (i % B === 0) { const c = cpu(); console.log(mode, i, ((performance.now() - t) / B).toFixed(3), "ms wall", ((c - c0) / B).toFixed(3), "ms cpu", rss(), "KB"); c0 = c; t = performance.now(); }
}
await trim.close(); await d.close(); process.exit(0);
