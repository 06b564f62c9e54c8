import { describe, expect, test } from "vitest";
import { groupsOf, perMinute, withoutStopped, worstOf } from "../../dashboard/overview/groups.ts";
import { coverageOf } from "../../dashboard/stops/coverage.ts";
import { targetsOf } from "../../dashboard/stops/targets.ts";

/** Guarantees that the page offers to stop what burns, and no more than that. */

const run = (label_group: string | null, agent_run_label: string | null, spent_usd_5m: number) => ({
  label_group,
  agent_run_label,
  stop_label: agent_run_label ?? `${label_group}/*`,
  spent_usd_1m: spent_usd_5m / 3,
  spent_usd_5m,
});

describe("the worst run", () => {
  test.each([
    ["nothing runs", [], null],
    ["a group of one label is that label", [run("m", null, 9), run("m", "m/1", 9)], "m/1"],
    [
      "many labels that spend alike are a group, since new ones come",
      [run("m", null, 9), run("m", "m/1", 3), run("m", "m/2", 3), run("m", "m/3", 3)],
      "m/*",
    ],
    [
      "a label that spends four fifths of its group",
      [run("m", null, 10), run("m", "m/1", 8), run("m", "m/2", 2)],
      "m/1",
    ],
    [
      "a label that spends less than that is not what burns: its group is",
      [run("m", null, 10), run("m", "m/1", 7.9), run("m", "m/2", 2.1)],
      "m/*",
    ],
    [
      "of the worst group, not the worst label of another one",
      [run("m", null, 9), run("n", null, 8), run("n", "n/1", 8), run("m", "m/1", 3), run("m", "m/2", 3)],
      "m/*",
    ],
    ["a label without a group", [run(null, "/odd", 9), run("m", null, 8)], "/odd"],
  ])("%s", (_, runs, worst) => {
    expect(worstOf(groupsOf(runs))?.run.stop_label ?? null).toBe(worst);
  });
});

test("a group has its labels in their order, and no label of another group", () => {
  const runs = [
    run("m", null, 9),
    run("mm", null, 8),
    run("m", "m/2", 6),
    run("mm", "mm/1", 8),
    run("m", "m/1", 3),
  ];
  const shown = groupsOf(runs).map(({ whole, labels }) => [
    whole.stop_label,
    labels.map((each) => each.stop_label),
  ]);
  expect(shown).toEqual([
    ["m/*", ["m/2", "m/1"]],
    ["mm/*", ["mm/1"]],
  ]);
});

test.each([
  ["2026-11-28T14:00:00.000+00:00", 60, 1, 60],
  ["2026-11-28T14:00:30.000+00:00", 60, 1, 40],
  ["2026-11-28T14:00:59.999+00:00", 0, 1, 0],
  ["2026-11-28T14:00:00.000+00:00", 60, 5, 12],
])("at %s $%d of the minute and %d before it are $%d a minute", (asOf, spent, before, rate) => {
  expect(perMinute(spent, asOf, before)).toBeCloseTo(rate, 6);
});

describe("what may be stopped", () => {
  const body = (targets: ReturnType<typeof targetsOf>) => targets.map((target) => target.body);

  test("of a label is the label, its group, and everything", () => {
    expect(body(targetsOf(run("m", "m/1", 1), run("m", null, 1)))).toEqual([
      { agent_run_label: "m/1" },
      { agent_run_label: "m/*" },
      { all: true },
    ]);
  });

  test("of a group is the group and everything", () => {
    expect(body(targetsOf(run("m", null, 1), null))).toEqual([{ agent_run_label: "m/*" }, { all: true }]);
  });

  test("of a group that is one label is named once", () => {
    const lone = { stop_label: "nightly" };
    expect(body(targetsOf(lone, lone))).toEqual([{ agent_run_label: "nightly" }, { all: true }]);
  });
});

describe("a run is stopped", () => {
  const stop = (what: object, state = "in_force") => ({
    agent_run_label: null,
    vendor: null,
    parent_id: null,
    api_key_id: null,
    state,
    ...what,
  });

  test.each([
    ["by its label", "m/1", stop({ agent_run_label: "m/1" }), "stopped"],
    ["not by another label", "m/1", stop({ agent_run_label: "m/2" }), null],
    ["not by a label that it begins with", "m/12", stop({ agent_run_label: "m/1" }), null],
    ["by the beginning of its label", "m/1", stop({ agent_run_label: "m/*" }), "stopped"],
    ["as a group by its group", "m/*", stop({ agent_run_label: "m/*" }), "stopped"],
    ["as a group by a wider beginning", "m/*", stop({ agent_run_label: "m*" }), "stopped"],
    ["as a group not by a narrower beginning", "m/*", stop({ agent_run_label: "m/1*" }), null],
    ["as a group not by one label of it", "m/*", stop({ agent_run_label: "m/1" }), null],
    ["by a stop of everything", "m/*", stop({}), "stopped"],
    ["not by a stop of one vendor", "m/*", stop({ vendor: "stripe" }), null],
    ["not by a stop of its label at one vendor", "m/1", stop({ agent_run_label: "m/1", vendor: "x" }), null],
    ["not by a stop that was lifted", "m/1", stop({ agent_run_label: "m/1" }, "lifted"), null],
    ["not by a stop that ended", "m/1", stop({ agent_run_label: "m/1" }, "ended"), null],
    ["not quite while its keys are revoked", "m/1", stop({ agent_run_label: "m/1" }, "revoking"), "stopping"],
  ])("%s", (_, label, each, coverage) => {
    expect(coverageOf(label, [each])).toBe(coverage);
  });
});

describe("what is stopped", () => {
  const group = (labels: number, spent: number) => ({ ...run("m", null, spent), labels });
  const label = (name: string, spent: number) => ({ ...run("m", name, spent), labels: null });
  const other = { ...run("n", null, 4), labels: 0 };
  const without = (runs: readonly ReturnType<typeof group | typeof label>[], ...names: readonly string[]) => {
    const { goingOn, stopped } = withoutStopped(groupsOf(runs), (each) => names.includes(each.stop_label));
    return [
      goingOn.map(({ whole }) => [whole.stop_label, whole.spent_usd_5m]),
      stopped.map((each) => each.stop_label),
    ];
  };

  test.each([
    [
      "nothing",
      [],
      [
        ["m/*", 9],
        ["n/*", 4],
      ],
      [],
    ],
    ["the group", ["m/*"], [["n/*", 4]], ["m/*"]],
    [
      "one label of two",
      ["m/1"],
      [
        ["n/*", 4],
        ["m/*", 3],
      ],
      ["m/1"],
    ],
    ["both labels", ["m/1", "m/2"], [["n/*", 4]], ["m/1", "m/2"]],
  ])("is not what goes on: %s", (_, names, goingOn, stopped) => {
    const runs = [group(2, 9), label("m/1", 6), label("m/2", 3), other];
    expect(without(runs, ...names)).toEqual([goingOn, stopped]);
  });

  test("leaves a group that has labels which are not shown", () => {
    expect(without([group(9, 9), label("m/1", 6), other], "m/1")).toEqual([
      [
        ["n/*", 4],
        ["m/*", 3],
      ],
      ["m/1"],
    ]);
  });
});
