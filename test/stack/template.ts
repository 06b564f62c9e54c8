import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { DIST } from "../../bin/build.ts";
import { type ConfigInput, parseConfig } from "../../lib/config.ts";
import { KeybrakeStack } from "../../lib/keybrake-stack.ts";

/** One resource of a template, as CloudFormation reads it. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly DependsOn?: readonly string[];
}

export interface Synthesised {
  readonly stack: KeybrakeStack;
  readonly template: Template;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<Record<string, { readonly Value: unknown; readonly Description?: string }>>;
  /** Logical ids and resources of a type. */
  of(type: string): readonly (readonly [string, Resource])[];
  /** The one resource of a type whose logical id begins so; throws where there is not exactly one. */
  one(type: string, idPrefix?: string): Resource;
}

/** The stack that this configuration makes, of the bundles that the tests share. */
export function synthesised(config: ConfigInput = {}): Synthesised {
  const outdir = mkdtempSync(join(tmpdir(), "keybrake-synth-"));
  const app = new App({ analyticsReporting: false, outdir });
  const parsed = parseConfig(config, "the test");
  const stack = new KeybrakeStack(app, parsed.stackName, { config: parsed, bundles: DIST });
  const template = Template.fromStack(stack);
  rmSync(outdir, { recursive: true });
  const { Resources: resources, Outputs: outputs } = template.toJSON() as {
    Resources: Record<string, Resource>;
    Outputs: Synthesised["outputs"];
  };
  const of: Synthesised["of"] = (type) =>
    Object.entries(resources).filter(([, resource]) => resource.Type === type);
  const one: Synthesised["one"] = (type, idPrefix = "") => {
    const [found, ...others] = of(type).filter(([id]) => id.startsWith(idPrefix));
    if (found === undefined || others.length > 0) throw new Error(`not exactly one ${type} ${idPrefix}`);
    return found[1];
  };
  return { stack, template, resources, outputs, of, one };
}

/** Every text inside a value, however deep. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsOf(inner)]);
}

/** What lies at the end of a path of names inside a value; undefined where there is no such path. */
export const inside = (value: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (outer, name) => (typeof outer === "object" && outer !== null ? Reflect.get(outer, name) : undefined),
    value,
  );

/** What a value refers to: the logical id behind `Ref` or `Fn::GetAtt`, with what is joined to it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  if ("Ref" in value) return String(value.Ref);
  if ("Fn::GetAtt" in value) return (value["Fn::GetAtt"] as readonly string[]).join(".");
  if ("Fn::Join" in value) {
    const [separator, parts] = value["Fn::Join"] as readonly [string, readonly unknown[]];
    return parts.map(shown).join(separator);
  }
  return JSON.stringify(value);
}
