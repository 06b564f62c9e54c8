import { expect, test } from "vitest";
import { ENV } from "../../lambda/environment.ts";
import { definitionWith, exampleOf } from "../vendors/configured/harness.ts";
import { inside, synthesised, textsOf } from "./template.ts";

const plain = synthesised();
const configured = synthesised({ vendors: ["images", "letters", "lookup"].map(exampleOf) });

/** The variables of a function, by the beginning of its logical id. */
const variablesOf = ({ one }: typeof plain, id: string): Readonly<Record<string, unknown>> =>
  inside(one("AWS::Lambda::Function", id), "Properties", "Environment", "Variables") as Record<
    string,
    unknown
  >;

/** Guarantees that a vendor in the configuration is deployed as a built-in one is, and that nothing else is another for it. */
test("each has a secret without a value, and the others keep their ids", () => {
  const secretsOf = ({ of }: typeof plain) => of("AWS::SecretsManager::Secret").map(([id]) => id);
  const added = secretsOf(configured).filter((id) => !secretsOf(plain).includes(id));

  expect(secretsOf(configured)).toEqual(expect.arrayContaining([...secretsOf(plain)]));
  expect(added.map((id) => id.replace(/[0-9A-F]{8}$/, ""))).toEqual([
    "SecretsImagesDefault",
    "SecretsLettersDefault",
    "SecretsLookupDefault",
  ]);
  for (const id of added) {
    const properties = configured.resources[id]?.Properties;
    expect(properties).not.toHaveProperty("GenerateSecretString");
    expect(properties).not.toHaveProperty("SecretString");
  }
});

test("each has a path of its own", () => {
  const parts = configured
    .of("AWS::ApiGateway::Resource")
    .map(([, { Properties }]) => Properties?.["PathPart"]);
  expect(parts).toEqual(expect.arrayContaining(["images", "letters", "lookup"]));
});

test("its definition reaches the functions that read it, and no other", () => {
  const told = configured
    .of("AWS::Lambda::Function")
    .filter(
      ([, resource]) => inside(resource, "Properties", "Environment", "Variables", ENV.vendors) !== undefined,
    )
    .map(([id]) => id.replace(/Function[0-9A-F]{8}$/, ""));

  expect(told.toSorted()).toEqual([
    "ApplyStops",
    "Dashboard",
    "Health",
    "IssueKey",
    "ListKeys",
    "ManageApiKeys",
    "ManageStops",
    "ProxyCall",
    "QueryAudit",
    "QuerySpend",
    "ResolveByHand",
    "ResolveCalls",
    "SettleLatePrices",
  ]);
  const written: unknown = JSON.parse(String(variablesOf(configured, "ProxyCall")[ENV.vendors]));
  expect(written).toMatchObject([{ name: "images" }, { name: "letters" }, { name: "lookup" }]);
  expect(variablesOf(plain, "ProxyCall")).not.toHaveProperty(ENV.vendors);
});

test("what calls vendors may read its credential, and who asks for late prices may not", () => {
  const policyOf = (name: string) =>
    textsOf(configured.of("AWS::IAM::Policy").filter(([id]) => id.startsWith(name))).join(" ");
  expect(policyOf("ProxyCall")).toContain("SecretsImagesDefault");
  expect(policyOf("SettleLatePrices")).not.toContain("SecretsImagesDefault");
});

test("its credential is set by a command of the outputs", () => {
  const commands = Object.values(configured.outputs).map(({ Value }) => textsOf(Value).join(" "));
  expect(commands.filter((command) => command.includes("SecretsImagesDefault"))).not.toEqual([]);
});

test("definitions that are too long for the environment of a function are refused before they are deployed", () => {
  const long = definitionWith(
    Object.fromEntries(
      Array.from({ length: 50 }, (_, at) => [
        `POST /things/of/a/long/name/${at}`,
        { price: 1, object_id: "data.object.id" },
      ]),
    ),
  );
  expect(() => synthesised({ vendors: [long] })).toThrow(
    /environment of the function \S+ may become \d+ bytes long; expected at most 4096\. The largest are KEYBRAKE_VENDORS \d+.*or fewer endpoints of vendors$/,
  );
});
