import { statfs } from "node:fs/promises";

const INTERVAL_MS = 60_000;
/** Some 20,000 calls, so that there is time to read the line. */
const ROOM_BYTES_MIN = 256 * 1024 ** 2;

export interface RoomWatch {
  /** Looks now; the timer does it every minute. */
  look(): Promise<void>;
  close(): void;
}

export interface RoomWatchOptions {
  /** Any path on the file system to look at. */
  readonly path: string;
  /** Told once, in a sentence, that it is nearly full. */
  readonly announce: (message: string) => void;
  /** Free bytes where `path` is. */
  readonly roomAt?: (path: string) => Promise<number>;
}

/** Says once when the file system of a run's data is nearly full: then the engine refuses writes, and with them calls. */
export function watchRoom({ path, announce, roomAt = freeBytes }: RoomWatchOptions): RoomWatch {
  let isTold = false;
  const look = async () => {
    if (isTold || (await roomAt(path)) >= ROOM_BYTES_MIN) return;
    isTold = true;
    announce(
      `${path} has less than 256 MiB left, and calls are refused once it is full: start again with KEYBRAKE_DATA or TMPDIR where there is more`,
    );
  };
  const timer = setInterval(() => void look().catch(() => {}), INTERVAL_MS).unref();
  return { look, close: () => clearInterval(timer) };
}

/** Bytes that this user may still write to the file system of a path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
