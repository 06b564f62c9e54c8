import { beforeEach } from "vitest";
import { CANNOT_HOLD } from "./cannot-hold.ts";

beforeEach(({ task, skip }) => {
  const found = CANNOT_HOLD.find(({ file, test }) => test === task.name && task.file.filepath.endsWith(file));
  if (found !== undefined) skip(`MiniStack: ${found.reason}`);
});
