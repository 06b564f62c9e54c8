import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";

/**
 * Agents that keep connections, but never use one that has been idle for long: a function that was frozen wakes hours
 * later with connections that are dead without its knowing, and what is sent on those has an unknown outcome.
 */
const IDLE_MS_MAX = 4_000;

type Timed = Socket & { idleSinceMs?: number };

export interface KeptAgents {
  readonly http: http.Agent;
  readonly https: https.Agent;
  /** To be called before each request. */
  closeIdle(): void;
}

export function keptAgents(maxSockets: number): KeptAgents {
  const options = { keepAlive: true, maxSockets, maxFreeSockets: Math.min(maxSockets, 64) };
  const agents = { http: new http.Agent(options), https: new https.Agent(options) };
  for (const agent of Object.values(agents)) {
    agent.on("free", (socket: Timed) => {
      socket.idleSinceMs = Date.now();
    });
  }
  return {
    ...agents,
    closeIdle() {
      for (const agent of Object.values(agents)) {
        for (const socket of Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? [])) {
          if (Date.now() - ((socket as Timed).idleSinceMs ?? 0) > IDLE_MS_MAX) socket.destroy();
        }
      }
    },
  };
}
