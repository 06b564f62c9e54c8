import { useState } from "preact/hooks";
import type { Key } from "../api/answers.ts";
import { useList } from "../api/use-list.ts";
import { usd } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { ListEnd } from "../parts/list-end.tsx";
import { Status } from "../parts/status.tsx";

/** The keys that a key issued, and those below them, as a tree that opens level by level. */
export function Children({ of: key }: { readonly of: Key }) {
  return (
    <section aria-labelledby="children-title">
      <h2 id="children-title">Keys below it</h2>
      <div class="card">
        <Level parentId={key.id} />
      </div>
    </section>
  );
}

function Level({ parentId }: { readonly parentId: string }) {
  const list = useList<Key>("vault/keys", { parent_id: parentId, limit: 50 }, null);
  return (
    <>
      {list.rows.length > 0 && (
        <ul class="tree">
          {list.rows.map((child) => (
            <Child key={child.id} of={child} />
          ))}
        </ul>
      )}
      <ListEnd list={list} empty="It issued none." />
    </>
  );
}

function Child({ of: child }: { readonly of: Key }) {
  const [isOpen, setIsOpen] = useState(false);
  const name = child.agent_run_label ?? child.id;
  return (
    <li>
      <div class="node">
        <button
          type="button"
          class="plain"
          aria-expanded={isOpen}
          aria-label={`Keys below ${name}`}
          onClick={() => setIsOpen(!isOpen)}
        >
          {isOpen ? "−" : "+"}
        </button>
        <a href={hashOf("keys", { key: child.id })}>{name}</a>
        <Status of={child.status} />
        <span class="quiet">
          {usd(child.spent_usd)} spent · {usd(Math.max(0, child.remaining_usd))} left
        </span>
      </div>
      {isOpen && <Level parentId={child.id} />}
    </li>
  );
}
