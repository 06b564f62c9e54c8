import { build } from "../bin/build.ts";

/** The bundles that are deployed are the ones that are tested. */
export const setup = async (): Promise<void> => {
  await build();
};
