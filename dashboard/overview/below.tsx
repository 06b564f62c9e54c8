import type { ListedStop, Run } from "../api/answers.ts";
import type { RunGroup } from "./groups.ts";
import { RunTable } from "./run-table.tsx";
import { Watch } from "./watch.tsx";

interface Props {
  readonly groups: readonly RunGroup<Run>[];
  readonly stops: readonly ListedStop[];
  readonly asOf: string;
  readonly isComplete: boolean;
}

/** All runs of the last hour, then what may need somebody soon, then history. */
export function Below(props: Props) {
  return (
    <>
      {props.groups.length > 0 && <RunTable {...props} />}
      <Watch />
    </>
  );
}
