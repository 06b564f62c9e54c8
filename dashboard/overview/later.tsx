import type { ComponentProps } from "preact";
import { Lazily } from "../page/lazily.tsx";
import type { Below } from "./below.tsx";

const loadBelow = async () => (await import("../more.ts")).Below;
const loadBlindStop = async () => (await import("../more.ts")).BlindStop;
const NO_PROPS = {};

/** What is below the first picture, loaded after it. */
export const Later = (props: ComponentProps<typeof Below>) => <Lazily load={loadBelow} props={props} />;

/** A stop by name, where nothing can be shown that has a Stop beside it. */
export const LaterBlindStop = () => <Lazily load={loadBlindStop} props={NO_PROPS} />;
