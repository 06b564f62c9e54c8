import { useState } from "preact/hooks";
import { remove } from "../api/client.ts";
import { Overview } from "../overview/overview.tsx";
import { Moment } from "../parts/moment.tsx";
import { StopDialog } from "../stops/stop-dialog.tsx";
import { Stopping, type StopWish } from "../stops/stopping.ts";
import { hashOf, type Place, VIEWS, type View } from "./address.ts";
import { Lazily } from "./lazily.tsx";
import { useLogin, useMay } from "./signed-in.ts";
import { usePlace } from "./use-place.ts";

const TITLES: Readonly<Record<View, string>> = {
  overview: "Now",
  keys: "Keys",
  audit: "Audit",
  spend: "Spend",
};

const loadKeys = async () => (await import("../more.ts")).Keys;
const loadAudit = async () => (await import("../more.ts")).Audit;
const loadSpend = async () => (await import("../more.ts")).SpendPage;

/** The ways through the page, the part that is looked at, and who is signed in. */
export function Frame({ onOut }: { readonly onOut: () => void }) {
  const place = usePlace();
  const [wish, setWish] = useState<StopWish | null>(null);
  const mayRead = useMay("read");
  const mayIssue = useMay("issue");
  const mayStop = useMay("revoke");
  const shown = VIEWS.filter(
    (view) => mayRead || (view === "overview" && mayStop) || (view === "keys" && mayIssue),
  );
  const [first = "overview"] = shown;
  return (
    <Stopping.Provider value={setWish}>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <header class="bar">
        <span class="brand">Keybrake</span>
        <nav aria-label="Views">
          {shown.map((view) => (
            <a key={view} href={hashOf(view)} aria-current={view === place.view ? "page" : undefined}>
              {TITLES[view]}
            </a>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        <Part place={shown.includes(place.view) ? place : { view: first, filters: {} }} />
      </main>
      <Who onOut={onOut} />
      {wish !== null && <StopDialog wish={wish} onClose={() => setWish(null)} />}
    </Stopping.Provider>
  );
}

/** The address is for views, so this is no link. */
const skip = () => document.getElementById("main")?.focus();

function Part({ place }: { readonly place: Place }) {
  const { view, filters } = place;
  switch (view) {
    case "overview":
      return <Overview />;
    case "keys":
      return <Lazily load={loadKeys} props={{ filters }} />;
    case "audit":
      return <Lazily load={loadAudit} props={{ filters }} />;
    case "spend":
      return <Lazily load={loadSpend} props={{ filters }} />;
  }
}

function Who({ onOut }: { readonly onOut: () => void }) {
  const { name, ends_at } = useLogin();
  const signOut = async () => {
    await remove("dashboard/login").catch(() => {});
    onOut();
  };
  return (
    <footer class="who">
      <span>
        Signed in as <b>{name}</b>{" "}
        {ends_at !== null && (
          <>
            until <Moment at={ends_at} />
          </>
        )}
      </span>
      <button type="button" class="plain" onClick={() => void signOut()}>
        Sign out
      </button>
    </footer>
  );
}
